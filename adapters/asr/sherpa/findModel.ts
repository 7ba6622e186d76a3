import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UndertoneError } from '../../../src/errors.ts';
import type { SherpaModel } from './messages.ts';

/** Every ONNX file begins with the field `ir_version` of its protocol buffer. */
const FIRST_BYTE = 0x08;

/**
 * Finds the files of a streaming transducer in a folder as sherpa-onnx publishes them: `encoder….onnx`, `decoder….onnx`,
 * `joiner….onnx` and `tokens.txt`; of several, 32-bit before 8-bit ones.
 * @throws UndertoneError RECOGNIZER_MISSING; it names the file that is missing or not in ONNX format.
 */
export async function findModel(folder: string, threads: number): Promise<SherpaModel> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new UndertoneError('RECOGNIZER_MISSING', 'sherpa: the model folder is not there', { cause });
  });
  const find = async (part: string): Promise<string> => {
    const found = names.filter((name) => name.startsWith(part) && name.endsWith('.onnx'));
    const name = found.sort((a, b) => Number(a.includes('int8')) - Number(b.includes('int8')) || (a < b ? -1 : 1))[0];
    if (name === undefined) throw new UndertoneError('RECOGNIZER_MISSING', `sherpa: the folder has no ${part}*.onnx`);
    await checkOnnx(join(folder, name), part);
    return join(folder, name);
  };
  if (!names.includes('tokens.txt'))
    throw new UndertoneError('RECOGNIZER_MISSING', 'sherpa: the folder has no tokens.txt');
  return {
    encoder: await find('encoder'),
    decoder: await find('decoder'),
    joiner: await find('joiner'),
    tokens: join(folder, 'tokens.txt'),
    threads,
  };
}

/** What is no model must not reach the library, which ends the process over it. */
async function checkOnnx(path: string, part: string): Promise<void> {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(1), 0, 1, 0);
    if (bytesRead === 1 && buffer[0] === FIRST_BYTE) return;
  } finally {
    await file.close();
  }
  throw new UndertoneError('RECOGNIZER_MISSING', `sherpa: ${part}*.onnx is not in ONNX format`);
}
