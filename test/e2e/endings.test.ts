import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insightsIn, outcomeOf } from '../support/terminal.ts';
import {
  ALL_FILES,
  createCallFolder,
  expectRefused,
  filesIn,
  replayJson,
  startCommand,
  summaryOf,
  TINY,
  type CallFolder,
} from './call.ts';

let folder: CallFolder;
let call: readonly string[] = [];
beforeAll(() => {
  folder = createCallFolder();
  const tracks = ['ada', 'ben'] as const;
  call = tracks.flatMap((voice) => ['--track', `${voice}=${folder.cut(`${voice}.mp4`, voice, 60, ['-c', 'copy'])}`]);
});
afterAll(() => {
  folder.remove();
});

const inReplay = (...args: readonly string[]): string[] => ['replay', ...call, '--weights', TINY, ...args];

describe.skipIf(process.platform === 'win32')('undertone at Ctrl-C', () => {
  it('ends once the first one comes, with a summary of what was heard, whole files and status 130.', async () => {
    const out = folder.path('once');
    const running = startCommand(inReplay('--json', '--speed', '2', '--out', out));
    await running.said('"status":"provisional"');
    running.signalGroup('SIGINT');
    const { status, failures, out: said, err } = await running.done;
    expect(status).toBe(130);
    expect(failures).toEqual([]);
    expect(err).toContain('once more to quit at once');
    const { durationMs, utterances, faults } = summaryOf(insightsIn(said));
    expect(utterances).toBeGreaterThan(0);
    expect(durationMs).toBeLessThan(50_000);
    expect(faults).toBe(0);
    expect(filesIn(out)).toEqual(ALL_FILES);
    expect(insightsIn(readFileSync(join(out, 'insights.jsonl'), 'utf8')).at(-1)?.type).toBe('summary');
  });

  it('quits at once when it comes twice, with status 130 and without half-written files.', async () => {
    const out = folder.path('twice');
    mkdirSync(out);
    writeFileSync(join(out, 'summary.json'), 'of an earlier session');
    const running = startCommand(inReplay('--json', '--speed', '1', '--out', out));
    await running.said('"type":"session"');
    expect(filesIn(out).length).toBeGreaterThan(1);
    running.signalGroup('SIGINT');
    running.signalGroup('SIGTERM');
    const { status, signal, failures } = await running.done;
    expect([status, signal, failures]).toEqual([130, null, []]);
    // Either the second signal won, or the first had already come to its end: whole files or none.
    const left = filesIn(out);
    if (left.length === 1) expect(readFileSync(join(out, 'summary.json'), 'utf8')).toBe('of an earlier session');
    else expect(left).toEqual(ALL_FILES);
  });

  it('does not wait for the next caption of a call that has no sound to wait for.', async () => {
    const captions = folder.write(
      'slow.vtt',
      'WEBVTT\n\n00:00.000 --> 00:01.000\nNow.\n\n59:00.000 --> 59:01.000\nLater.\n',
    );
    const args = ['--captions', captions, '--privacy', 'text-only', '--json', '--speed', '1'];
    const running = startCommand(inReplay(...args));
    await running.said('"type":"session"');
    running.signalGroup('SIGINT');
    expect((await running.done).status).toBe(130);
  });
});

describe('undertone when its output ends', () => {
  it.each(['--json', '--speed=max'])('ends without a word when nobody reads on (%s).', async (option) => {
    const running = startCommand(inReplay(option));
    await running.said('\n');
    running.stopReading();
    const { status, err } = await running.done;
    expect(status).toBe(0);
    expect(err).not.toMatch(/EPIPE|Error|^\s+at /m);
    expect(outcomeOf(0, '', err).failures).toEqual([]);
  });

  const full = '/dev/full';
  const hasFull = existsSync(full);
  it.skipIf(!hasFull)(
    hasFull ? 'says OUTPUT_FAILED when standard output is a full disk.' : 'skipped: this system has no /dev/full.',
    () => {
      const main = fileURLToPath(new URL('../../src/app/main.ts', import.meta.url));
      const args = ['--import', import.meta.resolve('tsx'), main, ...inReplay('--json')];
      const { status, stderr } = spawnSync(process.execPath, args, {
        stdio: ['ignore', openSync(full, 'w'), 'pipe'],
        encoding: 'utf8',
      });
      const { failures } = outcomeOf(0, '', stderr);
      expect(failures).toEqual(['undertone: OUTPUT_FAILED: standard output cannot be written (ENOSPC)']);
      expect(stderr).not.toMatch(/^\s+at /m);
      expect(status).toBe(2);
    },
  );
});

describe('undertone --out', () => {
  it('refuses a folder that cannot be made, before it decodes anything.', async () => {
    const below = join(folder.write('file', 'x'), 'folder');
    expectRefused(await replayJson(...call, '--out', below), 'OUTPUT_FAILED', below);
  });

  it('refuses a file where the folder should be.', async () => {
    const file = folder.write('not-a-folder', 'x');
    expectRefused(await replayJson(...call, '--out', file), 'OUTPUT_FAILED');
    expect(readFileSync(file, 'utf8')).toBe('x');
  });

  const inOwnMounts = 'unshare';
  const smallDisk = [
    '-Urm',
    'sh',
    '-c',
    'mount -t tmpfs -o size=12k tmpfs "$0" && "$@"; echo "status $? left [$(ls -A "$0")]" >&2',
  ];
  const canMount = spawnSync(inOwnMounts, [...smallDisk, tmpdir(), 'true'], { stdio: 'ignore' }).status === 0;
  it.skipIf(!canMount)(
    canMount
      ? 'says OUTPUT_FAILED on a full disk, and leaves nothing on it.'
      : 'skipped: no small disk can be mounted here.',
    () => {
      const out = folder.path('small');
      mkdirSync(out);
      const main = fileURLToPath(new URL('../../src/app/main.ts', import.meta.url));
      const command = [
        process.execPath,
        '--import',
        import.meta.resolve('tsx'),
        main,
        ...inReplay('--json', '--out', out),
      ];
      const { stderr } = spawnSync(inOwnMounts, [...smallDisk, out, ...command], { encoding: 'utf8' });
      expect(outcomeOf(0, '', stderr).failures).toEqual([
        expect.stringMatching(/^undertone: OUTPUT_FAILED: .*insights\.jsonl.*\(ENOSPC\)$/),
      ]);
      expect(stderr).toContain('status 2 left []');
    },
  );

  it('replaces the files of an earlier session, and only those.', async () => {
    const out = folder.path('again');
    mkdirSync(out);
    writeFileSync(join(out, 'notes.txt'), 'mine');
    writeFileSync(join(out, 'summary.json'), 'old');
    const { status } = await replayJson(folder.cut('short.wav', 'ada', 4), '--out', out);
    expect(status).toBe(0);
    expect(filesIn(out)).toEqual([...ALL_FILES, 'notes.txt'].sort());
    expect(JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'))).toMatchObject({
      type: 'summary',
      utterances: 1,
    });
    expect(readFileSync(join(out, 'notes.txt'), 'utf8')).toBe('mine');
  });
});
