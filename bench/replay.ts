import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseCaptions } from '../adapters/asr/captions/parseCaptions.ts';
import { packageRoot } from '../src/app/packageRoot.ts';
import { createMediaFolder, type MediaFolder } from '../test/support/mediaFiles.ts';
import { type CommandCost, measureCommand, median } from './command.ts';

/** The bundled call, which the benchmarks repeat, is this long. */
const CALL_SECONDS = 64.8;
const call = (file: string): string => join(packageRoot(), 'fixtures', 'call', file);

/**
 * Prints what the whole product costs, in a process of its own on one core: a call of five minutes with two tracks and
 * captions, mixed and as two tracks, then the peak memory of three hours against ten minutes (one track, all cores), then
 * `doctor`. `isQuick`: two minutes, and half an hour against ten minutes.
 */
export async function benchReplay(isQuick: boolean): Promise<void> {
  const folder = createMediaFolder();
  try {
    await benchSpeed(folder, isQuick ? 2 : 5);
    await benchMemory(folder, isQuick ? 30 : 180);
    await benchDoctor();
  } finally {
    folder.remove();
  }
}

async function benchSpeed(folder: MediaFolder, minutes: number): Promise<void> {
  const repeats = Math.ceil((minutes * 60) / CALL_SECONDS);
  const [ada, ben] = [repeated(folder, 'ada', repeats), repeated(folder, 'ben', repeats)];
  const mix = ['-i', ada, '-i', ben, '-filter_complex', 'amix=inputs=2', '-ar', '16000'];
  const both = folder.make(`both-${repeats}.wav`, mix);
  const captions = folder.write('call.json', repeatedCaptions(repeats));
  const seconds = repeats * CALL_SECONDS;
  console.log(`replay at speed max, one core, ${(seconds / 60).toFixed(1)} min:`);
  const mixed = await measureCommand(['replay', both, '--captions', captions, '--json']);
  report('mixed sound and captions (goal: 40 ×)', mixed, seconds);
  const args = ['replay', '--track', `Ada=${ada}`, '--track', `Ben=${ben}`, '--json'];
  report('two tracks and captions', await measureCommand([...args, '--captions', captions]), seconds);
  report('two tracks alone', await measureCommand(args), seconds);
  report('captions alone', await measureCommand([...args, '--captions', captions, '--privacy', 'text-only']), seconds);
}

async function benchMemory(folder: MediaFolder, minutes: number): Promise<void> {
  const peaks: number[] = [];
  for (const length of [10, minutes]) {
    const repeats = Math.ceil((length * 60) / CALL_SECONDS);
    const cost = await measureCommand(['replay', '--track', `Ada=${repeated(folder, 'ada', repeats)}`, '--json'], {
      oneCore: false,
    });
    report(`one track of ${length} min`, cost, repeats * CALL_SECONDS);
    peaks.push(cost.peakMegabytes);
  }
  console.log(
    `  peak memory of ${minutes} min / of 10 min: ${((peaks[1] ?? NaN) / (peaks[0] ?? NaN)).toFixed(3)} (goal: at most 1.2)`,
  );
}

async function benchDoctor(): Promise<void> {
  const runs: CommandCost[] = [];
  for (let run = 0; run < 5; run++) runs.push(await measureCommand(['doctor', '--json'], { oneCore: false }));
  const wallMs = median(runs.map((run) => run.wallMs));
  console.log(`doctor --json: median ${wallMs.toFixed(0)} ms of 5 (goal: 1,500 ms), status ${runs[0]?.status}`);
}

function report(
  what: string,
  { status, wallMs, nodeCpuSeconds, allCpuSeconds, peakMegabytes }: CommandCost,
  seconds: number,
): void {
  const speed = (seconds * 1_000) / wallMs;
  const cpu =
    allCpuSeconds === null
      ? ''
      : `, with ffmpeg ${allCpuSeconds.toFixed(1)} s: ${Math.round(seconds / allCpuSeconds)} × per CPU second`;
  console.log(
    `  ${what.padEnd(24)} ${speed.toFixed(0)} × real time (${(wallMs / 1_000).toFixed(1)} s), CPU of node ${nodeCpuSeconds.toFixed(1)} s${cpu}, peak ${peakMegabytes.toFixed(0)} MB${status === 0 ? '' : `, STATUS ${status}`}`,
  );
}

/** The sound of one voice of the bundled call, again and again, without being encoded again. */
function repeated(folder: MediaFolder, voice: 'ada' | 'ben', repeats: number): string {
  const source = ['-stream_loop', String(repeats - 1), '-i', call(`${voice}.mp4`)];
  return folder.make(`${voice}-${repeats}.m4a`, [...source, '-vn', '-c:a', 'copy']);
}

function repeatedCaptions(repeats: number): string {
  const { transcripts } = parseCaptions(readFileSync(call('captions.vtt')), { streamId: 'captions' });
  const cues = Array.from({ length: repeats }, (_, repeat) =>
    transcripts.map(({ startMs, endMs, speaker, text }) => ({
      startMs: Math.round(startMs + repeat * CALL_SECONDS * 1_000),
      endMs: Math.round(endMs + repeat * CALL_SECONDS * 1_000),
      speaker: speaker?.name,
      text,
    })),
  );
  return JSON.stringify({ captions: cues.flat() });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await benchReplay(process.argv.includes('--quick'));
