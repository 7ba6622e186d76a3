import { chmodSync, mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createFfmpegReader } from '../../../../adapters/media/ffmpeg/createFfmpegReader.ts';
import { FFMPEG_SOURCES, findFfmpeg } from '../../../../adapters/media/ffmpeg/findFfmpeg.ts';
import { createMediaFolder, level, toWav, type MediaFolder } from '../../../support/mediaFiles.ts';

const folders: MediaFolder[] = [];
afterAll(() => {
  for (const folder of folders) folder.remove();
});

/** A folder with a program called ffmpeg that runs `script`. */
function fakeOnPath(script: string, mode = 0o755): string {
  const folder = createMediaFolder();
  folders.push(folder);
  const path = folder.write('ffmpeg', `#!/bin/sh\n${script}\n`);
  chmodSync(path, mode);
  return path;
}
const saysVersion = (version: string): string => `echo "ffmpeg version ${version} Copyright (c) the FFmpeg developers"`;

const isWindows = process.platform === 'win32';
const skipped = isWindows ? 'skipped: programs are no scripts on Windows: ' : '';
describe.skipIf(isWindows)(`${skipped}findFfmpeg`, () => {
  it('takes FFMPEG_PATH before everything else', () => {
    const [chosen, onPath] = [fakeOnPath(saysVersion('9.1')), fakeOnPath(saysVersion('8.0'))];
    expect(findFfmpeg({ FFMPEG_PATH: chosen, PATH: dirname(onPath) })).toEqual({
      path: chosen,
      version: '9.1',
      source: 'FFMPEG_PATH',
    });
  });

  it('takes the first of PATH that runs, passing over folders, files that are no programs, and failures', () => {
    const folder = createMediaFolder();
    folders.push(folder);
    const directory = folder.write('x', '');
    mkdirSync(join(dirname(directory), 'ffmpeg'));
    const passedOver = [
      dirname(directory),
      dirname(fakeOnPath('exit 3')),
      dirname(fakeOnPath(saysVersion('1'), 0o644)),
      dirname(fakeOnPath('echo some other program')),
      '/no/such/folder',
      '',
    ];
    const good = fakeOnPath(saysVersion('n7.1-3-gabc'));
    const found = findFfmpeg({ FFMPEG_PATH: '', PATH: [...passedOver, dirname(good)].join(delimiter) });
    expect(found).toEqual({ path: good, version: 'n7.1-3-gabc', source: 'PATH' });
  });

  it('falls back to the binary that npm installed', () => {
    const found = findFfmpeg({ PATH: '/no/such/folder' });
    expect(found.source).toBe('@ffmpeg-installer/ffmpeg');
    expect(found.path).toContain('@ffmpeg-installer');
    expect(found.version).not.toBe('');
    expect(FFMPEG_SOURCES).toContain(found.source);
  });

  it.each([
    ['is not there', '/no/such/ffmpeg'],
    ['is a folder', '/'],
  ])('says how to get ffmpeg when FFMPEG_PATH %s, instead of taking another', (_why, path) => {
    expect(() => findFfmpeg({ FFMPEG_PATH: path, PATH: process.env['PATH'] })).toThrow(
      expect.objectContaining({
        code: 'FFMPEG_MISSING',
        message: expect.stringMatching(/apt install ffmpeg.*FFMPEG_PATH/),
      }),
    );
  });

  it('is asked at the first use of a reader and not before', async () => {
    const folder = createMediaFolder();
    folders.push(folder);
    const reader = createFfmpegReader({ env: { FFMPEG_PATH: '/no/such/ffmpeg' } });
    const sound = folder.write('a.wav', toWav([level(0, 0.1)], 16_000));
    await expect(reader.probe(sound)).rejects.toMatchObject({ code: 'FFMPEG_MISSING' });
    await expect(reader.probe(join(dirname(sound), 'b.wav'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});
