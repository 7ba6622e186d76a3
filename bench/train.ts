import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startBackend } from '../src/model/backend.ts';
import { installGradients } from '../src/model/ops/gradients.ts';
import { initialValues, startValuesOf } from '../src/model/parameters.ts';
import { createRandom } from '../src/model/random.ts';
import { toBatch } from '../src/training/batch.ts';
import { type Dataset, readDataset } from '../src/training/dataset.ts';
import { createNegativeBank } from '../src/training/guidedNce.ts';
import { createLearner, DIALOGUE_EXTRAS } from '../src/training/learner.ts';
import { drawMasks } from '../src/training/masks.ts';
import { featureNames, globalStatistics, prepareDialogues, toModelConfig } from '../src/training/prepare.ts';
import { parseTrainConfig, type TrainConfig } from '../src/training/trainConfig.ts';
import { newLearnerState } from '../src/training/trainee.ts';
import { median } from './command.ts';

/** Text and prosody in the size that METHOD.md asks for, with every loss. */
const CONFIG: TrainConfig = parseTrainConfig({
  format: 1,
  name: 'bench',
  trainedOn: 'nothing that is kept',
  licence: 'none',
  inputs: [
    { name: 'text', modality: 'text', kind: 'tokens', tokens: 64 },
    { name: 'prosody', modality: 'audio', kind: 'vector', feature: 'prosody8', tokens: 1, speakerRelative: true },
  ],
  shape: { layers: 4, contextHidden: 96 },
});

/**
 * Prints what training costs on the wasm backend: seconds for 10,000 utterances, from the median batch, and the process's
 * peak memory. On MELD's texts where UNDERTONE_SHARED names them, else on made-up dialogues of like lengths.
 */
export async function benchTrain(isQuick: boolean): Promise<void> {
  const dataset = await findDataset();
  const { name } = await startBackend('wasm', 'training');
  await installGradients();
  const dialogues = dataset.dialogues.filter(({ split }) => split === 'train');
  const [used, names] = [[{ dataset, dialogues }], featureNames(CONFIG)];
  const model = toModelConfig(CONFIG, used);
  const statistics = globalStatistics(model, used, names);
  const prepared = prepareDialogues(model, dataset, dialogues, statistics, names);
  const values = initialValues(model, CONFIG.seed);
  for (const [input, { mean, scale }] of statistics) values.set(`${input}.mean`, mean).set(`${input}.scale`, scale);
  for (const spec of DIALOGUE_EXTRAS) values.set(spec.name, startValuesOf(spec, CONFIG.seed));
  const learner = createLearner(model, CONFIG, newLearnerState(values));
  const bank = createNegativeBank(model.width, CONFIG.losses.bank);
  const random = createRandom(1);
  const [perUtterance, cpu]: [number[], number[]] = [[], []];
  for (let b = -2; b < (isQuick ? 8 : 40); b++) {
    const from = ((b + 2) * CONFIG.batchDialogues) % (prepared.length - CONFIG.batchDialogues + 1);
    const some = prepared.slice(from, from + CONFIG.batchDialogues);
    const shown = some.map((dialogue) => drawMasks(model, dialogue, CONFIG.masks, random));
    const batch = toBatch(some, shown);
    const [started, before] = [performance.now(), process.cpuUsage()];
    await learner.learn(batch, { random, cut: (length) => [length], rate: 1, bank });
    const { user, system } = process.cpuUsage(before);
    if (b < 0) continue; // warming up
    perUtterance.push((performance.now() - started) / batch.size);
    cpu.push((user + system) / 1_000 / batch.size);
  }
  learner.dispose();
  const peak = process.resourceUsage().maxRSS / 1_024;
  console.log(
    `training (${dataset.name}, ${CONFIG.shape.layers} layers, all losses), ${name} backend: ${(10 * median(perUtterance)).toFixed(1)} s for 10,000 utterances (goal: 32), CPU ${(10 * median(cpu)).toFixed(1)} s, ${perUtterance.length} batches; peak memory of this process ${peak.toFixed(0)} MB`,
  );
}

async function findDataset(): Promise<Dataset> {
  const folder = join(process.env['UNDERTONE_SHARED'] ?? '', 'data', 'meld');
  return existsSync(join(folder, 'meta.json')) ? readDataset(folder) : madeUp();
}

const LABELS = ['anger', 'disgust', 'fear', 'joy', 'neutral', 'sadness', 'surprise'];

/** 200 dialogues of 2 to 18 utterances of 1 to 17 words, which say nothing. */
function madeUp(): Dataset {
  const random = createRandom(7);
  const upTo = (most: number): number => 1 + Math.floor(random() * most);
  const words = Array.from({ length: 2_000 }, (_, i) => `w${i.toString(36)}`);
  let index = 0;
  const dialogues = Array.from({ length: 200 }, (_, d) => ({
    id: `d${d}`,
    split: 'train',
    utterances: Array.from({ length: 1 + upTo(17) }, (_u, u) => ({
      index: index++,
      id: `u${u}`,
      speaker: `s${upTo(4)}`,
      label: upTo(7) - 1,
      text: Array.from({ length: upTo(17) }, () => words[Math.floor(random() ** 2 * words.length)]).join(' '),
    })),
  }));
  const values = Float32Array.from({ length: 8 * index }, () => random());
  const rowsOf = (utterance: number): Float32Array => values.subarray(8 * utterance, 8 * utterance + 8);
  const prosody8 = { name: 'prosody8', modality: 'audio', kind: 'vector', dim: 8, rowsOf } as const;
  return { name: 'made up', labels: LABELS, dialogues, features: new Map([['prosody8', prosody8]]) };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await benchTrain(process.argv.includes('--quick'));
