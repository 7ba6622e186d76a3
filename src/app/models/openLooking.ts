import type { VisionExtractor, VisionModality } from '../../adapter.ts';
import type { PrivacyMode } from '../../domain/modality.ts';
import { ADAPTERS } from '../adapters.ts';
import { modelsFolder } from './modelStore.ts';

/** Who looks at pictures, and what for. */
export type Looking = { readonly extractor: VisionExtractor; readonly modalities: readonly VisionModality[] };

/** Who looks, if there is anything that may be looked for; what to say aloud about it; and how it ends. */
export type OpenLooking = {
  readonly looking?: Looking;
  readonly notices: readonly string[];
  close(): Promise<void>;
};

/** Beside live calls sound goes first: whoever looks at pictures gives way. */
const openForLive = (folder: string): Promise<VisionExtractor> => ADAPTERS.vision(folder, { givesWay: true });

/**
 * Opens the extractor that looks at pictures, for the modalities that its models and the privacy mode allow: in `no-face` the
 * face model is never opened, in `text-only` no extractor is.
 */
export async function openLooking(
  privacy: PrivacyMode,
  env: Readonly<Record<string, string | undefined>>,
  open: (folder: string) => Promise<VisionExtractor> = openForLive,
): Promise<OpenLooking> {
  if (privacy === 'text-only') return { notices: [], close: async () => undefined };
  const extractor = await open(modelsFolder(env));
  const modalities = extractor.modalities.filter((modality) => modality === 'body' || privacy === 'none');
  const close = (): Promise<void> => extractor.close();
  const lacksFace = privacy === 'none' && !modalities.includes('face');
  const notices = lacksFace
    ? ['The model of faces is not here, so faces are not read: undertone models pull face.']
    : [];
  return modalities.length === 0 ? { notices, close } : { looking: { extractor, modalities }, notices, close };
}
