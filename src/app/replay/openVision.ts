import { availableParallelism } from 'node:os';
import type { VisionExtractor } from '../../adapter.ts';
import type { PrivacyMode } from '../../domain/modality.ts';
import { ADAPTERS } from '../adapters.ts';
import { openLooking, type OpenLooking } from '../models/openLooking.ts';
import type { ReplayInputs } from './inputs.ts';

/** Whether a recording's pictures are looked at. */
export type VisionRequest = { readonly vision: 'on' | 'off'; readonly privacy: PrivacyMode };

/** Nearly all of the work is looking at pictures, and nobody waits for the sound meanwhile: every core takes part. */
const openAdapter = (folder: string): Promise<VisionExtractor> =>
  ADAPTERS.vision(folder, { threads: availableParallelism() });

/**
 * Opens the extractor that looks at the pictures of a recording. Nobody looks when it is off or there are no pictures.
 * @throws UndertoneError VISION_DOWN when a model that is there cannot be used
 */
export async function openVision(
  { vision, privacy }: VisionRequest,
  inputs: ReplayInputs,
  env: Readonly<Record<string, string | undefined>>,
  open: (folder: string) => Promise<VisionExtractor> = openAdapter,
): Promise<OpenLooking> {
  if (vision === 'off' || inputs.video.length === 0) return { notices: [], close: async () => undefined };
  const opened = await openLooking(privacy, env, open);
  const isShared = inputs.video.some(({ speaker }) => speaker === undefined);
  if (!isShared) return opened;
  const whose = 'A picture that shows everybody is taken to show whoever speaks. Give --tiles or --grid if not.';
  return { ...opened, notices: [...opened.notices, whose] };
}
