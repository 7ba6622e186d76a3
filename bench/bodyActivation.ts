import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { runTrain } from '../src/app/commands/train.ts';
import { packageRoot } from '../src/app/packageRoot.ts';
import { processTerminal, type Terminal } from '../src/app/terminal.ts';
import { UndertoneError } from '../src/errors.ts';
import { withFold } from '../src/training/folds.ts';
import { parseTrainConfig } from '../src/training/trainConfig.ts';

const DATA = 'bandai-upperbody';
/** The capture batches that hold both labels; the others have none. */
const HELD_OUT = [0, 1, 5];
const BATCHES = [0, 1, 2, 3, 4, 5, 6, 7];
const SEEDS = [1, 2, 3, 4, 5, 6];

const Line = z.object({ type: z.string(), stage: z.string().optional(), dev: z.record(z.string(), z.unknown()) });

/**
 * Prints how well low and high activation of movements are told apart in a capture batch that training never saw: the area
 * under the ROC curve over films after the last epoch of `body-activation.json`, for each batch and seed, and mean ± SD over
 * seeds. A seed decides the films, too. It takes what `undertone train` takes; the data are in the folder UNDERTONE_SHARED.
 */
export async function benchBodyActivation(): Promise<void> {
  const shared = process.env['UNDERTONE_SHARED'];
  if (shared === undefined) return console.log('body activation: the motion capture needs UNDERTONE_SHARED');
  const file = join(packageRoot(), 'src', 'training', 'configs', 'body-activation.json');
  const config = parseTrainConfig(JSON.parse(await readFile(file, 'utf8')));
  const folder = await mkdtemp(join(tmpdir(), 'undertone-body-'));
  const terminal = processTerminal();
  try {
    const means: number[] = [];
    for (const seed of SEEDS) {
      const areas: number[] = [];
      for (const batch of HELD_OUT) {
        const held = `fold${batch}`;
        const train = BATCHES.filter((other) => other !== batch).map((other) => `fold${other}`);
        const path = join(folder, `${held}.json`);
        await writeFile(path, JSON.stringify(withFold(config, DATA, { held, dev: held, train })));
        areas.push(await lastArea({ config: path, data: join(shared, 'data', 'body'), out: folder, seed }, terminal));
      }
      means.push(meanOf(areas));
      console.log(
        `body activation, seed ${seed}: AUC ${areas.map((area, i) => `${area.toFixed(3)} (batch ${HELD_OUT[i]})`).join(', ')}, mean ${meanOf(areas).toFixed(3)}`,
      );
    }
    const deviation = Math.sqrt(means.reduce((sum, mean) => sum + (mean - meanOf(means)) ** 2, 0) / (means.length - 1));
    console.log(
      `body activation: AUC ${meanOf(means).toFixed(3)} ± ${deviation.toFixed(3)} over ${means.length} seeds (goal: 0.85)`,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

type Run = { readonly config: string; readonly data: string; readonly out: string; readonly seed: number };

/** Trains as the command line would, and returns what the last epoch of the encoder's stage reported. */
async function lastArea({ config, data, out, seed }: Run, terminal: Terminal): Promise<number> {
  const lines = new PassThrough({ encoding: 'utf8' });
  const captured = { ...terminal, out: lines, err: new PassThrough().resume() };
  await runTrain({ config, data: [data], out, seed, resume: false, folds: false, backend: 'wasm' }, captured);
  const text = z.string().parse(lines.read()).trim();
  const epochs = text.split('\n').map((line) => Line.parse(JSON.parse(line)));
  const area = Object.values(epochs.findLast(({ stage }) => stage === 'body')?.dev ?? {})[0];
  if (typeof area !== 'number') throw new UndertoneError('INTERNAL', 'training reported no area under the curve');
  return area;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await benchBodyActivation();
