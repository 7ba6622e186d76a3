import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UndertoneError } from '../../errors.ts';
import type { Backend } from '../../model/backend.ts';
import { encodeWeights } from '../../model/weights.ts';
import type { Weights } from '../../model/weights.ts';
import { classifyFold, poolFolds } from '../../training/evaluation/crossValidation.ts';
import type { Dataset } from '../../training/dataset.ts';
import type { PassOutcomes } from '../../training/evaluation/pass.ts';
import { planFolds, withFold } from '../../training/folds.ts';
import { datasetOf, dialogueUses, type Sources } from '../../training/sources.ts';
import { parseTrainConfig, type TrainConfig } from '../../training/trainConfig.ts';
import { train, type TrainEvent, type TrainResult } from '../../training/trainer.ts';
import { loadSources } from '../loadSources.ts';
import { startTensorBackend } from '../tensorBackend.ts';
import { EXIT, type Terminal } from '../terminal.ts';
import { loadWeights } from '../weights.ts';

/** What `undertone train` was asked for. */
export type TrainCommand = {
  readonly config: string;
  /** Folders of data: datasets, text corpora, or folders of them. */
  readonly data: readonly string[];
  readonly out: string;
  readonly resume: boolean;
  /** Weights to go on from, in place of pre-training. */
  readonly start?: string | undefined;
  /** Cross-validation over the splits fold0, fold1, … of the first dataset of dialogues. */
  readonly folds: boolean;
  readonly seed?: number | undefined;
  readonly backend: Backend | 'auto';
};

/**
 * Trains and writes `weights.safetensors` into the output folder; with `folds` once for each fold, into folders of their own,
 * and the pooled result into `folds.json`. One JSON line per epoch on standard output, progress on
 * standard error. Returns 0, or 130 when it was interrupted (`--resume` continues from the last whole epoch).
 * @throws UndertoneError FILE_NOT_FOUND, BAD_CONFIG, BAD_DATASET, BAD_CHECKPOINT, OUTPUT_FAILED
 */
export async function runTrain(command: TrainCommand, terminal: Terminal): Promise<number> {
  const config = await readConfig(command.config, command.seed);
  const sources = await loadSources(command.data, config, terminal);
  if (!sources) return EXIT.interrupted;
  await makeFolder(command.out);
  const start = command.start === undefined ? undefined : await loadWeights(command.start);
  const backend = await startTensorBackend(command.backend, 'training');
  terminal.err.write(
    `training ${config.name} (seed ${config.seed}) on ${[...sources.keys()].join(', ')}, ${backend.name} backend\n`,
  );
  const run = { ...command, config, sources, start };
  return command.folds ? await crossValidate(run, terminal) : await trainOnce(run, terminal);
}

type Run = Omit<TrainCommand, 'config' | 'start'> & {
  readonly config: TrainConfig;
  readonly sources: Sources;
  readonly start: Weights | undefined;
};

async function trainOnce(run: Run, terminal: Terminal): Promise<number> {
  const result = await trainInto(run, terminal);
  if (!result.weights) return stopped(terminal);
  const dev = result.weights.provenance.dev;
  const path = join(run.out, WEIGHTS);
  terminal.out.write(`${JSON.stringify({ type: 'weights', path, bestEpoch: result.bestEpoch, dev })}\n`);
  return EXIT.done;
}

/** Trains once for each fold, into a folder of its own, measures what was held out and pools it. */
async function crossValidate(run: Run, terminal: Terminal): Promise<number> {
  const name = dialogueUses(run.config, run.sources)[0]?.data ?? '';
  const dataset = datasetOf(run.sources, name);
  const outcomes: PassOutcomes[] = [];
  for (const plan of planFolds(dataset)) {
    const out = join(run.out, plan.held);
    const { weights } = await trainInto({ ...run, out, config: withFold(run.config, name, plan) }, terminal);
    const own = weights && (await classifyFold(weights, dataset, plan.held, () => terminal.stop.aborted));
    if (!own) return stopped(terminal);
    outcomes.push(own);
    terminal.out.write(`${JSON.stringify({ type: 'fold', ...plan, rows: toRows([own], dataset) })}\n`);
  }
  const pooled = { type: 'pooled', folds: outcomes.length, rows: toRows(outcomes, dataset) };
  await writeWhole(join(run.out, 'folds.json'), new TextEncoder().encode(`${JSON.stringify(pooled)}\n`));
  terminal.out.write(`${JSON.stringify(pooled)}\n`);
  return EXIT.done;
}

function toRows(outcomes: readonly PassOutcomes[], { labels }: Dataset): object[] {
  return poolFolds(outcomes, labels.length).map(({ lookAhead, metrics, interval }) => ({
    lookAhead: Number.isFinite(lookAhead) ? lookAhead : 'inf',
    ...metrics,
    interval,
  }));
}

function stopped({ err }: Terminal): number {
  err.write('stopped; --resume continues from the last whole epoch\n');
  return EXIT.interrupted;
}

const WEIGHTS = 'weights.safetensors';

/** Trains into one folder: the checkpoint, the weights as pre-training left them (32 bits), and in the end the weights. */
async function trainInto({ config, sources, start, out, resume }: Run, terminal: Terminal): Promise<TrainResult> {
  await makeFolder(out);
  const result = await train({
    config,
    sources,
    start,
    folder: out,
    resume,
    pretrained: (weights) => writeWhole(join(out, 'pretrained.safetensors'), encodeWeights(weights, 'F32')),
    isStopped: () => terminal.stop.aborted,
    report: createReport(terminal),
  });
  if (result.weights) await writeWhole(join(out, WEIGHTS), encodeWeights(result.weights, 'F16'));
  return result;
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((cause: unknown) => {
    throw new UndertoneError('OUTPUT_FAILED', `${path}: the folder cannot be made`, { cause });
  });
}

/** Writes a file so that a crash leaves the old one or the new one. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(`${path}.part`, bytes);
    await rename(`${path}.part`, path);
  } catch (cause) {
    throw new UndertoneError('OUTPUT_FAILED', `${path} cannot be written`, { cause });
  }
}

async function readConfig(path: string, seed: number | undefined): Promise<TrainConfig> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new UndertoneError('FILE_NOT_FOUND', `${path} cannot be read`, { cause });
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new UndertoneError('BAD_CONFIG', `${path} is not JSON`);
  }
  const overrides = seed === undefined || typeof json !== 'object' ? {} : { seed };
  return parseTrainConfig({ ...(json as object), ...overrides });
}

function createReport({ out, err }: Terminal): (event: TrainEvent) => void {
  const startMs = performance.now();
  let stage = { name: '', startMs, done: 0 };
  return (event) => {
    if (event.stage !== stage.name) stage = { name: event.stage, startMs: performance.now(), done: 0 };
    if (event.type === 'epoch') {
      out.write(`${JSON.stringify({ ...event, seconds: Math.round((performance.now() - startMs) / 1000) })}\n`);
      return;
    }
    stage.done += 1;
    const left = (event.epochs - event.epoch) * event.batches + event.batches - event.batch;
    const etaMinutes = (((performance.now() - stage.startMs) / stage.done) * left) / 60_000;
    if (err.isTTY === true || event.batch % 16 === 0) {
      const line = `${event.stage} epoch ${event.epoch}/${event.epochs} batch ${event.batch}/${event.batches} loss ${event.loss.toFixed(3)} at most ${etaMinutes.toFixed(1)} min left`;
      err.write(err.isTTY === true ? `\r${line}   ` : `${line}\n`);
    }
  };
}
