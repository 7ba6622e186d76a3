import type { Recognizer } from '../adapter.ts';
import { UndertoneError } from '../errors.ts';

/** Environment variables; keys and models of recognizers are among them. */
type Environment = Readonly<Record<string, string | undefined>>;

/** Recognizers by name. */
export type RecognizerTable = Readonly<Record<string, (env: Environment) => Promise<Recognizer>>>;

/** The speech recognizers of this product; each loads its library when it is opened. */
export const RECOGNIZERS: RecognizerTable = Object.freeze({
  deepgram: async (env: Environment) =>
    (await import('../../adapters/asr/deepgram/createDeepgramRecognizer.ts')).createDeepgramRecognizer({
      apiKey: env['DEEPGRAM_API_KEY'] ?? '',
      diarize: true,
    }),
  whisper: openWhisper,
  pocketsphinx: async () =>
    (await import('../../adapters/asr/pocketsphinx/createPocketsphinxRecognizer.ts')).createPocketsphinxRecognizer(),
});

/** Whisper finds speech itself, with a detector that is closed with it. */
async function openWhisper(env: Environment): Promise<Recognizer> {
  const modelPath = env['UNDERTONE_WHISPER_MODEL'] ?? '';
  if (modelPath === '')
    throw new UndertoneError('RECOGNIZER_MISSING', 'whisper: UNDERTONE_WHISPER_MODEL names no ggml model file');
  const { createWhisperRecognizer } = await import('../../adapters/asr/whisper/createWhisperRecognizer.ts');
  const { createSileroDetector } = await import('../../adapters/vad/silero/createSileroDetector.ts');
  const vad = await createSileroDetector();
  try {
    const recognizer = await createWhisperRecognizer({ modelPath, vad });
    const close = async (): Promise<void> => {
      await recognizer.close();
      await vad.close();
    };
    return { ...recognizer, close };
  } catch (error) {
    await vad.close();
    throw error;
  }
}
