import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insightsIn } from '../support/terminal.ts';
import { createCallFolder, filesIn, startCommand, summaryOf, TINY, type CallFolder } from './call.ts';

let folder: CallFolder;
let env: NodeJS.ProcessEnv = {};
beforeAll(() => {
  folder = createCallFolder();
  const home = folder.path('home');
  mkdirSync(home);
  env = { HOME: home, USERPROFILE: home, PATH: join(home, 'nothing-here'), TMPDIR: process.env['TMPDIR'] ?? '/tmp' };
});
afterAll(() => {
  folder.remove();
});

describe('undertone on a machine that has nothing but the package', () => {
  it('replays a film with the ffmpeg that came along, and leaves nothing in the home folder.', async () => {
    const film = folder.cut('film.mp4', 'ada', 5, ['-c', 'copy']);
    const { status, out, failures } = await startCommand(['replay', film, '--json', '--weights', TINY], env).done;
    expect([status, failures]).toEqual([0, []]);
    expect(summaryOf(insightsIn(out)).utterances).toBe(1);
    expect(filesIn(folder.path('home'))).toEqual([]);
  });

  it('finds every part that the main job needs, and says so in good time.', async () => {
    const started = performance.now();
    const { status, out } = await startCommand(['doctor', '--json'], env).done;
    console.log(`doctor --json: ${Math.round(performance.now() - started)} ms, with tsx on the way`);
    const report: unknown = JSON.parse(out);
    expect(report).toMatchObject({
      works: true,
      components: expect.arrayContaining([
        expect.objectContaining({
          component: 'ffmpeg',
          finding: expect.objectContaining({
            isFound: true,
            from: expect.stringContaining('@ffmpeg-installer/ffmpeg ('),
          }),
        }),
      ]),
    });
    expect(status).toBe(0);
  });

  it('says which ffmpeg was chosen that does not run, and how to get one.', async () => {
    const { status, failures } = await startCommand(['replay', TINY], { ...env, FFMPEG_PATH: '/no/ffmpeg' }).done;
    expect(status).toBe(2);
    expect(failures).toEqual([
      expect.stringMatching(/^undertone: FFMPEG_MISSING: FFMPEG_PATH=\/no\/ffmpeg is not .*install/),
    ]);
  });
});
