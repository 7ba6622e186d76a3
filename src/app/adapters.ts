import type {
  MediaReader,
  OpusPacketDecoder,
  ParsedCaptions,
  ParsedTurns,
  VisionExtractor,
  VoiceActivityDetector,
} from '../adapter.ts';
import { RECOGNIZERS, type RecognizerTable } from './recognizers.ts';
import type { VisionThreads } from './models/createVision.ts';

/** The adapters of this product, by what they do; each loads its library when it is first used. */
export const ADAPTERS: Readonly<{
  media: () => Promise<MediaReader>;
  /** `gatherMs`: how long frames of many streams may wait for one another, to be looked at together; 0 unless given. */
  vad: (gatherMs?: number) => Promise<VoiceActivityDetector>;
  opus: (channels: 1 | 2) => Promise<OpusPacketDecoder>;
  /** Faces only where their model lies in the folder; `modalities` of the extractor tells. */
  vision: (modelsFolder: string, threads?: VisionThreads) => Promise<VisionExtractor>;
  captions: (bytes: Uint8Array, streamId: string) => Promise<ParsedCaptions>;
  turns: (bytes: Uint8Array, streamId: string, fileId?: string) => Promise<ParsedTurns>;
  recognizers: RecognizerTable;
}> = Object.freeze({
  media: async () => (await import('../../adapters/media/ffmpeg/createFfmpegReader.ts')).createFfmpegReader(),
  vad: async (gatherMs = 0) =>
    (await import('../../adapters/vad/silero/createSileroDetector.ts')).createSileroDetector({ gatherMs }),
  opus: async (channels) =>
    (await import('../../adapters/media/opus/createOpusDecoder.ts')).createOpusDecoder(channels),
  vision: async (folder, threads) => (await import('./models/createVision.ts')).createVision(folder, threads),
  captions: async (bytes, streamId) =>
    (await import('../../adapters/asr/captions/parseCaptions.ts')).parseCaptions(bytes, { streamId }),
  turns: async (bytes, streamId, fileId) =>
    (await import('../../adapters/diarization/rttm/parseRttm.ts')).parseRttm(bytes, {
      streamId,
      ...(fileId !== undefined && { fileId }),
    }),
  recognizers: RECOGNIZERS,
});
