import { SHERPA_FOLDER, SHERPA_MODELS } from '../../adapters/asr/sherpa/modelCatalogue.ts';
import { WHISPER_MODELS } from '../../adapters/asr/whisper/modelCatalogue.ts';
import type { Recognizer } from '../adapter.ts';
import { findSpeechModel, type ModelChoice } from './models/findSpeechModel.ts';

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

const SHERPA_CHOICES: readonly ModelChoice[] = [{ path: SHERPA_FOLDER, files: SHERPA_MODELS }];
const WHISPER_CHOICES: readonly ModelChoice[] = WHISPER_MODELS.map((model) => ({ path: model.file, files: [model] }));

async function openSherpa(env: Environment): Promise<Recognizer> {
  const modelFolder = await findSpeechModel('UNDERTONE_SHERPA_MODEL', SHERPA_CHOICES, env);
  const { createSherpaRecognizer } = await import('../../adapters/asr/sherpa/createSherpaRecognizer.ts');
  return createSherpaRecognizer({ modelFolder });
}

/** Whisper finds speech itself, with a detector that is closed with it. */
async function openWhisper(env: Environment): Promise<Recognizer> {
  const modelPath = await findSpeechModel('UNDERTONE_WHISPER_MODEL', WHISPER_CHOICES, env);
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
