import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runModelsList, runModelsPull, runModelsVerify } from '../../../src/app/commands/models.ts';
import { createModelProbe, probeVision } from '../../../src/app/doctor/visionParts.ts';
import { createVision } from '../../../src/app/models/createVision.ts';
import { modelsFolder } from '../../../src/app/models/modelStore.ts';
import { fakeTerminal } from '../../support/terminal.ts';

const FACE = join(process.env['UNDERTONE_SHARED'] ?? '', 'models', 'face_landmarker.task');
const hasFace = process.env['UNDERTONE_SHARED'] !== undefined;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'undertone-models-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('undertone models', () => {
  it('builds the pose model, and then finds it whole', async () => {
    const terminal = fakeTerminal();
    expect(await runModelsPull(['pose'], { models: folder }, terminal)).toBe(0);
    expect(await runModelsVerify({ models: folder }, terminal)).toBe(0);
    expect(terminal.written()).toContain('pose: built from @mediapipe/pose@0.5.1675469404');
    expect(terminal.written()).toContain('pose: whole');
    expect(terminal.written()).toContain('face: not there');
  });

  it('lists size, licence, source, sha256 and state of every model', async () => {
    const terminal = fakeTerminal();
    expect(await runModelsList({ models: folder }, terminal)).toBe(0);
    expect(terminal.written()).toMatch(
      /face: face, 3\.8 MB, Apache-2\.0, not there\n {2}https:\S+\n {2}sha256 64184e22/,
    );
    expect(terminal.written()).toMatch(/pose: body, 5\.8 MB, Apache-2\.0, built when needed/);
  });

  it('says which of them is damaged, with exit status 2', async () => {
    await writeFile(join(folder, 'face_landmarker.task'), 'not it');
    const terminal = fakeTerminal();
    expect(await runModelsVerify({ models: folder }, terminal)).toBe(2);
    expect(terminal.written()).toContain('face: has 6 bytes instead of 3758596');
  });

  it('lists every file of the models of speech', async () => {
    const terminal = fakeTerminal();
    await runModelsList({ models: folder }, terminal);
    expect(terminal.written()).toMatch(
      /sherpa \(tokens\.txt\): text, 0\.0 MB, Apache-2\.0, not there\n {2}https:\S+\/tokens\.txt\n {2}sha256 49e3c264/,
    );
    expect(terminal.written()).toMatch(/whisper-base\.en: text, 148\.0 MB, MIT, not there/);
  });

  it('verifies a model of several files, each by itself', async () => {
    await mkdir(join(folder, 'sherpa-streaming-zipformer-en-20M'));
    await writeFile(join(folder, 'sherpa-streaming-zipformer-en-20M', 'tokens.txt'), 'not it');
    const terminal = fakeTerminal();
    expect(await runModelsVerify({ models: folder }, terminal)).toBe(2);
    expect(terminal.written()).toContain('sherpa (tokens.txt): has 6 bytes instead of 5048');
    expect(terminal.written()).toContain('sherpa (encoder-epoch-99-avg-1.int8.onnx): not there');
  });

  it('refuses a name that is none', async () => {
    await expect(runModelsPull(['nose'], { models: folder }, fakeTerminal())).rejects.toMatchObject({
      code: 'BAD_OPTION',
    });
  });
});

describe('doctor, of pictures', () => {
  it('finds the library, builds the body model and misses the face model', async () => {
    expect(await probeVision()).toMatchObject({ isFound: true, version: '0.10.35' });
    expect(await createModelProbe('body', folder)()).toMatchObject({
      isFound: true,
      from: expect.stringContaining('built') as string,
    });
    expect(await createModelProbe('face', folder)()).toEqual({
      isFound: false,
      reason: `${join(folder, 'face_landmarker.task')}: not there`,
    });
  });

  it(
    hasFace ? 'finds the face model' : 'skipped: the face model needs UNDERTONE_SHARED',
    { skip: !hasFace },
    async () => {
      await copyFile(FACE, join(folder, 'face_landmarker.task'));
      expect(await createModelProbe('face', folder)()).toMatchObject({ isFound: true });
      expect((await readFile(FACE)).length).toBe(3_758_596);
    },
  );

  it('looks for models where UNDERTONE_MODELS says, else in the cache of the user', () => {
    expect(modelsFolder({ UNDERTONE_MODELS: '/models' })).toBe('/models');
    expect(modelsFolder({ UNDERTONE_MODELS: '' }, '/home/x')).toBe(join('/home/x', '.cache', 'undertone', 'models'));
  });
});

describe('createVision', () => {
  it('reads bodies only without the face model', () => {
    expect(createVision(folder).modalities).toEqual(['body']);
  });

  it('refuses a damaged face model when a stream first needs it, and bodies go on', async () => {
    await writeFile(join(folder, 'face_landmarker.task'), 'not it');
    const vision = createVision(folder);
    expect(vision.modalities).toEqual(['face', 'body']);
    await expect(vision.open({ modalities: ['face'] })).rejects.toMatchObject({ code: 'BAD_MODEL' });
    await vision.close();
  });
});
