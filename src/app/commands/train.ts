import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UndertoneError } from '../../errors.ts';
import type { Backend } from '../../model/backend.ts';
import { encodeWeights } from '../../model/weights.ts';
import { parseTrainConfig, type TrainConfig } from '../../training/trainConfig.ts';
import { train, type TrainEvent } from '../../training/trainer.ts';
import { loadSources } from '../loadSources.ts';
import { startTensorBackend } from '../tensorBackend.ts';
import { EXIT, type Terminal } from '../terminal.ts';

/** What `undertone train` was asked for. */
export type TrainCommand = {
  readonly config: string;
  /** Folders of data: datasets, text corpora, or folders of them. */
  readonly data: readonly string[];
  readonly out: string;
  readonly resume: boolean;
  readonly seed?: number | undefined;
  readonly backend: Backend | 'auto';
};

/**
 * Trains and writes `weights.safetensors` into the output folder. One JSON line per epoch on standard output, progress on
 * standard error. Returns 0, or 130 when it was interrupted (`--resume` continues from the last whole epoch).
 * @throws UndertoneError FILE_NOT_FOUND, BAD_CONFIG, BAD_DATASET, BAD_CHECKPOINT, OUTPUT_FAILED
 */
export async function runTrain(command: TrainCommand, terminal: Terminal): Promise<number> {
  const config = await readConfig(command.config, command.seed);
  const sources = await loadSources(command.data, config, terminal);
  if (!sources) return EXIT.interrupted;
  await mkdir(command.out, { recursive: true }).catch((cause: unknown) => {
    throw new UndertoneError('OUTPUT_FAILED', `${command.out}: the folder cannot be made`, { cause });
  });
  const backend = await startTensorBackend(command.backend, 'training');
  terminal.err.write(
    `training ${config.name} (seed ${config.seed}) on ${[...sources.keys()].join(', ')}, ${backend.name} backend\n`,
  );
  const result = await train({
    config,
    sources,
    folder: command.out,
    resume: command.resume,
    isStopped: () => terminal.stop.aborted,
    report: createReport(terminal),
  });
  if (!result.weights) {
    terminal.err.write('stopped; --resume continues from the last whole epoch\n');
    return EXIT.interrupted;
  }
  const path = join(command.out, 'weights.safetensors');
  await writeWhole(path, encodeWeights(result.weights, 'F16'));
  terminal.out.write(
    `${JSON.stringify({ type: 'weights', path, bestEpoch: result.bestEpoch, dev: result.weights.provenance.dev })}\n`,
  );
  return EXIT.done;
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
