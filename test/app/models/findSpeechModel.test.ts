import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findSpeechModel, type ModelChoice } from '../../../src/app/models/findSpeechModel.ts';
import { RECOGNIZERS } from '../../../src/app/recognizers.ts';
import type { CatalogueModel } from '../../../src/domain/modelCatalogue.ts';

const modelOf = (name: string, file: string, content: string): CatalogueModel => ({
  name,
  file,
  modality: 'text',
  sizeBytes: content.length,
  sha256: createHash('sha256').update(content).digest('hex'),
  licence: 'none',
  origin: { kind: 'download', url: 'http://localhost/' },
});
const PARTS: ModelChoice = {
  path: 'parts',
  files: [modelOf('parts', 'parts/encoder.onnx', 'encoder'), modelOf('parts', 'parts/tokens.txt', 'tokens')],
};
const ALONE: ModelChoice = { path: 'alone.bin', files: [modelOf('alone', 'alone.bin', 'alone')] };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'undertone-models-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});
const put = async (file: string, content: string): Promise<void> => {
  await mkdir(dirname(join(folder, file)), { recursive: true });
  await writeFile(join(folder, file), content);
};
const find = (env: Record<string, string> = {}): Promise<string> =>
  findSpeechModel('UNDERTONE_X_MODEL', [PARTS, ALONE], { UNDERTONE_MODELS: folder, ...env });

describe('findSpeechModel', () => {
  it('takes what the variable names, unseen', async () => {
    expect(await find({ UNDERTONE_X_MODEL: '/some/where' })).toBe('/some/where');
    await put('alone.bin', 'alone');
    expect(await find({ UNDERTONE_X_MODEL: '/some/where' })).toBe('/some/where');
  });

  it('takes the first model whose files are all there', async () => {
    await put('alone.bin', 'alone');
    await put('parts/encoder.onnx', 'encoder');
    expect(await find({ UNDERTONE_X_MODEL: '' })).toBe(join(folder, 'alone.bin'));
    await put('parts/tokens.txt', 'tokens');
    expect(await find()).toBe(join(folder, 'parts'));
  });

  it('takes none of which a byte differs, and says how to get the first', async () => {
    await put('parts/encoder.onnx', 'encodeR');
    await put('parts/tokens.txt', 'tokens');
    await put('alone.bin', 'alon');
    await expect(find()).rejects.toMatchObject({
      code: 'RECOGNIZER_MISSING',
      message:
        'parts/encoder.onnx: has another sha256 than the catalogue; get it by undertone models pull parts, or let UNDERTONE_X_MODEL name a model',
    });
  });
});

describe('the recognizers that need a model', () => {
  it.each([
    ['sherpa', 'undertone models pull sherpa', 'UNDERTONE_SHERPA_MODEL'],
    ['whisper', 'undertone models pull whisper-base.en', 'UNDERTONE_WHISPER_MODEL'],
  ])('%s says how to get one', async (name, command, variable) => {
    const opened = RECOGNIZERS[name]?.({ UNDERTONE_MODELS: folder });
    await expect(opened).rejects.toMatchObject({ code: 'RECOGNIZER_MISSING' });
    await expect(opened).rejects.toThrow(command);
    await expect(opened).rejects.toThrow(variable);
  });
});
