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
  sherpa: openSherpa,
  whisper: openWhisper,
  pocketsphinx: async () =>
    (await import('../../adapters/asr/pocketsphinx/createPocketsphinxRecognizer.ts')).createPocketsphinxRecognizer(),
});

async function openSherpa(env: Environment): Promise<Recognizer> {
  const modelFolder = env['UNDERTONE_SHERPA_MODEL'] ?? '';
  if (modelFolder === '')
    throw new UndertoneError('RECOGNIZER_MISSING', 'sherpa: UNDERTONE_SHERPA_MODEL names no folder of a model');
  const { createSherpaRecognizer } = await import('../../adapters/asr/sherpa/createSherpaRecognizer.ts');
  return createSherpaRecognizer({ modelFolder });
}

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
