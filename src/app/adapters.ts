import type { DeepgramOptions } from '../../adapters/asr/deepgram/createDeepgramRecognizer.ts';
import type { WhisperOptions } from '../../adapters/asr/whisper/createWhisperRecognizer.ts';
import type {
  MediaReader,
  OpusPacketDecoder,
  ParsedCaptions,
  ParsedTurns,
  Recognizer,
  VisionExtractor,
  VoiceActivityDetector,
} from '../adapter.ts';

/** The adapters of this product, by what they do; each loads its library when it is first used. */
export const ADAPTERS: Readonly<{
  media: () => Promise<MediaReader>;
  vad: () => Promise<VoiceActivityDetector>;
  opus: (channels: 1 | 2) => Promise<OpusPacketDecoder>;
  deepgram: (options: DeepgramOptions) => Promise<Recognizer>;
  whisper: (options: WhisperOptions) => Promise<Recognizer>;
  /** Faces only where their model lies in the folder; `modalities` of the extractor tells. */
  vision: (modelsFolder: string) => Promise<VisionExtractor>;
  captions: (bytes: Uint8Array, streamId: string) => Promise<ParsedCaptions>;
  turns: (bytes: Uint8Array, streamId: string, fileId?: string) => Promise<ParsedTurns>;
}> = Object.freeze({
  media: async () => (await import('../../adapters/media/ffmpeg/createFfmpegReader.ts')).createFfmpegReader(),
  vad: async () => (await import('../../adapters/vad/silero/createSileroDetector.ts')).createSileroDetector(),
  opus: async (channels) =>
    (await import('../../adapters/media/opus/createOpusDecoder.ts')).createOpusDecoder(channels),
  deepgram: async (options) =>
    (await import('../../adapters/asr/deepgram/createDeepgramRecognizer.ts')).createDeepgramRecognizer(options),
  whisper: async (options) =>
    (await import('../../adapters/asr/whisper/createWhisperRecognizer.ts')).createWhisperRecognizer(options),
  vision: async (folder) => (await import('./models/createVision.ts')).createVision(folder),
  captions: async (bytes, streamId) =>
    (await import('../../adapters/asr/captions/parseCaptions.ts')).parseCaptions(bytes, { streamId }),
  turns: async (bytes, streamId, fileId) =>
    (await import('../../adapters/diarization/rttm/parseRttm.ts')).parseRttm(bytes, {
      streamId,
      ...(fileId !== undefined && { fileId }),
    }),
});
