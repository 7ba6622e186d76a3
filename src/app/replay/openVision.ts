import type { VisionExtractor } from '../../adapter.ts';
import type { PrivacyMode } from '../../domain/modality.ts';
import { ADAPTERS } from '../adapters.ts';
import { modelsFolder } from '../models/modelStore.ts';
import type { ReplayInputs } from './inputs.ts';
import type { Looking } from './seePictures.ts';

/** Whether a recording's pictures are looked at. */
export type VisionRequest = { readonly vision: 'on' | 'off'; readonly privacy: PrivacyMode };

/** Who looks, if anybody, what to say aloud about it, and how it ends. */
export type Vision = {
  readonly looking?: Looking;
  readonly notices: readonly string[];
  close(): Promise<void>;
};

/**
 * Opens the extractor that looks at the pictures of a recording, for the modalities that its models and the privacy mode allow: in
 * `no-face` the face model is never opened. Nobody looks when it is off or there are no pictures.
 * @throws UndertoneError VISION_DOWN when a model that is there cannot be used
 */
export async function openVision(
  { vision, privacy }: VisionRequest,
  inputs: ReplayInputs,
  env: Readonly<Record<string, string | undefined>>,
  open: (folder: string) => Promise<VisionExtractor> = ADAPTERS.vision,
): Promise<Vision> {
  if (vision === 'off' || inputs.video.length === 0) return { notices: [], close: async () => undefined };
  const extractor = await open(modelsFolder(env));
  const modalities = extractor.modalities.filter((modality) => modality === 'body' || privacy === 'none');
  const close = (): Promise<void> => extractor.close();
  const lacksFace = privacy === 'none' && !modalities.includes('face');
  const isShared = inputs.video.some(({ speaker }) => speaker === undefined);
  const notices = [
    ...(lacksFace ? ['The model of faces is not here, so faces are not read: undertone models pull face.'] : []),
    ...(isShared
      ? ['A picture that shows everybody is taken to show whoever speaks. Give --tiles or --grid if not.']
      : []),
  ];
  return modalities.length === 0 ? { notices, close } : { looking: { extractor, modalities }, notices, close };
}
