import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UndertoneError } from '../../../src/errors.ts';
import type { OfflineKind, SherpaModel } from './messages.ts';
import { readOnnxMetadata } from './onnxMetadata.ts';

type Found = { readonly path: string; readonly metadata: ReadonlyMap<string, string> };

/** Models in one file, by how the `model_type` of their metadata begins. */
const ONE_FILE: readonly (readonly [string, OfflineKind])[] = [
  ['sense_voice', 'senseVoice'],
  ['zipformer2_ctc', 'zipformerCtc'],
  ['wenet_ctc', 'wenetCtc'],
  ['paraformer', 'paraformer'],
  ['EncDecCTC', 'nemoCtc'],
  ['EncDecHybrid', 'nemoCtc'],
];
/** The parts of Moonshine, by their names in the configuration and in the folder. */
const MOONSHINE = {
  preprocessor: 'preprocess',
  encoder: 'encode',
  uncachedDecoder: 'uncached_decode',
  cachedDecoder: 'cached_decode',
};
/** What the speaker embedding of a folder is called. */
const EMBEDDING = 'embedding';

/**
 * Finds a model in a folder as sherpa-onnx publishes them, its kind by the names and metadata of its files; of several files
 * of a part, 32-bit before 8-bit ones. A speaker embedding model is one more file, `embedding….onnx`.
 * @throws UndertoneError RECOGNIZER_MISSING; it names the file that is missing, not in ONNX format or of an unknown kind.
 */
export async function findModel(folder: string, threads: number): Promise<SherpaModel> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new UndertoneError('RECOGNIZER_MISSING', 'sherpa: the model folder is not there', { cause });
  });
  const has = (part: string): boolean => names.some((name) => isPart(name, part));
  const find = async (part: string): Promise<Found> => {
    const found = names.filter((name) => isPart(name, part));
    const name = found.sort((a, b) => Number(a.includes('int8')) - Number(b.includes('int8')) || (a < b ? -1 : 1))[0];
    if (name === undefined) throw missing(`the folder has no ${part}*.onnx`);
    const metadata = await readOnnxMetadata(join(folder, name));
    if (metadata === undefined) throw missing(`${part}*.onnx is not in ONNX format, or not whole`);
    return { path: join(folder, name), metadata };
  };
  const tokens = names.find((name) => name.endsWith('tokens.txt'));
  if (tokens === undefined) throw missing('the folder has no tokens.txt');
  const model = await findParts(has, find);
  const embedding = has(EMBEDDING) ? { embedding: (await find(EMBEDDING)).path } : {};
  return { ...model, tokens: join(folder, tokens), threads, ...embedding };
}

async function findParts(
  has: (part: string) => boolean,
  find: (part: string) => Promise<Found>,
): Promise<Pick<SherpaModel, 'kind' | 'files'>> {
  if (has('preprocess')) {
    const parts = Object.entries(MOONSHINE).map(async ([key, part]) => [key, (await find(part)).path] as const);
    return { kind: 'moonshine', files: Object.fromEntries(await Promise.all(parts)) };
  }
  if (has('model')) return findOneFile(await find('model'));
  const encoder = await find('encoder');
  const decoder = (await find('decoder')).path;
  if (encoder.metadata.get('model_type')?.startsWith('whisper'))
    return { kind: 'whisper', files: { encoder: encoder.path, decoder } };
  const files = { encoder: encoder.path, decoder, joiner: (await find('joiner')).path };
  return { kind: encoder.metadata.has('decode_chunk_len') ? 'streaming' : 'transducer', files };
}

function findOneFile({ path, metadata }: Found): Pick<SherpaModel, 'kind' | 'files'> {
  const type = metadata.get('model_type') ?? '';
  const kind = ONE_FILE.find(([begin]) => type.startsWith(begin))?.[1];
  if (kind === undefined) throw missing('model*.onnx is of a kind that is not known');
  return { kind, files: { model: path } };
}

/** `tiny.en-encoder.int8.onnx` is an `encoder`, as Whisper's files have the model's name before. */
function isPart(name: string, part: string): boolean {
  return name.endsWith('.onnx') && (name.startsWith(part) || name.includes(`-${part}`));
}

function missing(what: string): UndertoneError {
  return new UndertoneError('RECOGNIZER_MISSING', `sherpa: ${what}`);
}
