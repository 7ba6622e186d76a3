import { open } from 'node:fs/promises';
import { UndertoneError } from '../../../src/errors.ts';

/** A piece of a word as whisper.cpp tells it; a piece that begins with a blank begins a word. */
export type WhisperToken = { readonly text: string; readonly p: number; readonly from?: number; readonly to?: number };

/** A segment of whisper.cpp, in ms of the sound that it was given. `confidence`: mean probability of its tokens. */
export type WhisperSegment = {
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly lang?: string;
  readonly confidence: number;
  readonly tokens: readonly WhisperToken[];
};

/** A loaded model. It is given one piece of speech at a time. */
export type WhisperBinding = {
  readonly transcribe: (samples: Float32Array, language?: string) => Promise<readonly WhisperSegment[]>;
  readonly free: () => Promise<void>;
};

/** What of the package smart-whisper is used; it is not among our dependencies, so its shape stands here. */
export type SmartWhisper = {
  readonly Whisper: new (
    file: string,
    config: { readonly gpu: boolean; readonly offload: number },
  ) => {
    load(): Promise<unknown>;
    transcribe(
      samples: Float32Array,
      params: Readonly<Record<string, unknown>>,
    ): Promise<{ readonly result: Promise<readonly WhisperSegment[]> }>;
    free(): Promise<void>;
  };
};

const PACKAGE = 'smart-whisper';
/** Above this probability of "no speech", whisper.cpp gives nothing. */
const NO_SPEECH_THRESHOLD = 0.6;
/** The first four bytes of a ggml file. */
const GGML_MAGIC = 0x67676d6c;
/** The model stays loaded as long as the recognizer. */
const NEVER_S = 86_400 * 24;

/**
 * Loads a ggml model of whisper.cpp with the package smart-whisper. `importPackage` is for tests.
 * @throws UndertoneError RECOGNIZER_MISSING when the model or the package is not there, or does not load.
 */
export async function loadWhisper(
  modelPath: string,
  threads: number,
  importPackage: (name: string) => Promise<unknown> = (name) => import(name),
): Promise<WhisperBinding> {
  await checkModel(modelPath);
  const { Whisper } = await importPackage(PACKAGE).then(toSmartWhisper, (cause: unknown) => {
    const how = `npm install --ignore-scripts=false ${PACKAGE}, with CFLAGS and CXXFLAGS '-O3 -march=native'`;
    throw new UndertoneError('RECOGNIZER_MISSING', `whisper needs the package ${PACKAGE}: ${how}`, { cause });
  });
  const whisper = new Whisper(modelPath, { gpu: false, offload: NEVER_S });
  await whisper.load().catch((cause: unknown) => {
    throw new UndertoneError('RECOGNIZER_MISSING', 'whisper: the model file could not be loaded', { cause });
  });
  return {
    transcribe: async (samples, language) =>
      (await whisper.transcribe(samples, toParameters(threads, language))).result,
    free: () => whisper.free(),
  };
}

/** What is no model is refused here: the package would take it for one and end the process. */
async function checkModel(path: string): Promise<void> {
  const file = await open(path).catch((cause: unknown) => {
    throw new UndertoneError('RECOGNIZER_MISSING', 'whisper: the model file is not there', { cause });
  });
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    if (bytesRead === 4 && buffer.readUInt32LE(0) === GGML_MAGIC) return;
  } catch {
    // A folder can be opened and not read.
  } finally {
    await file.close();
  }
  throw new UndertoneError('RECOGNIZER_MISSING', 'whisper: the model file is not in ggml format');
}

/** A CommonJS package has its exports under `default` when it is imported. */
function toSmartWhisper(loaded: unknown): SmartWhisper {
  const module = loaded as Partial<SmartWhisper> & { readonly default?: SmartWhisper };
  const found = module.Whisper === undefined ? module.default : (module as SmartWhisper);
  if (found === undefined) throw new UndertoneError('RECOGNIZER_MISSING', `${PACKAGE} does not have the class Whisper`);
  return found;
}

function toParameters(threads: number, language: string | undefined): Readonly<Record<string, unknown>> {
  return {
    n_threads: threads,
    language: language?.split('-')[0] ?? 'auto',
    format: 'detail',
    token_timestamps: true,
    no_context: true,
    suppress_blank: true,
    suppress_non_speech_tokens: true,
    no_speech_thold: NO_SPEECH_THRESHOLD,
    print_progress: false,
    print_realtime: false,
  };
}
