import type { DeepgramOptions } from '../../adapters/asr/deepgram/createDeepgramRecognizer.ts';
import type { SherpaOptions } from '../../adapters/asr/sherpa/createSherpaRecognizer.ts';
import type { WhisperOptions } from '../../adapters/asr/whisper/createWhisperRecognizer.ts';
import type { MediaReader, ParsedCaptions, ParsedTurns, Recognizer, VoiceActivityDetector } from '../adapter.ts';

/** The adapters of this product, by what they do; each loads its library when it is first used. */
export const ADAPTERS: Readonly<{
  media: () => Promise<MediaReader>;
  vad: () => Promise<VoiceActivityDetector>;
  deepgram: (options: DeepgramOptions) => Promise<Recognizer>;
  sherpa: (options: SherpaOptions) => Promise<Recognizer>;
  whisper: (options: WhisperOptions) => Promise<Recognizer>;
  captions: (bytes: Uint8Array, streamId: string) => Promise<ParsedCaptions>;
  turns: (bytes: Uint8Array, streamId: string, fileId?: string) => Promise<ParsedTurns>;
}> = Object.freeze({
  media: async () => (await import('../../adapters/media/ffmpeg/createFfmpegReader.ts')).createFfmpegReader(),
  vad: async () => (await import('../../adapters/vad/silero/createSileroDetector.ts')).createSileroDetector(),
  deepgram: async (options) =>
    (await import('../../adapters/asr/deepgram/createDeepgramRecognizer.ts')).createDeepgramRecognizer(options),
  sherpa: async (options) =>
    (await import('../../adapters/asr/sherpa/createSherpaRecognizer.ts')).createSherpaRecognizer(options),
  whisper: async (options) =>
    (await import('../../adapters/asr/whisper/createWhisperRecognizer.ts')).createWhisperRecognizer(options),
  captions: async (bytes, streamId) =>
    (await import('../../adapters/asr/captions/parseCaptions.ts')).parseCaptions(bytes, { streamId }),
  turns: async (bytes, streamId, fileId) =>
    (await import('../../adapters/diarization/rttm/parseRttm.ts')).parseRttm(bytes, {
      streamId,
      ...(fileId !== undefined && { fileId }),
    }),
});
