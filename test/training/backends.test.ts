import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect } from 'vitest';

import { startBackend } from '../../src/model/backend.ts';
import type { ModelConfig } from '../../src/model/config.ts';
import { NO_FUTURE, WHOLE_FUTURE } from '../../src/model/dialogueContext.ts';
import { installGradients } from '../../src/model/ops/gradients.ts';
import { initialValues, startValuesOf } from '../../src/model/parameters.ts';
import { createRandom } from '../../src/model/random.ts';
import { toBatch } from '../../src/training/batch.ts';
import { readDataset } from '../../src/training/dataset.ts';
import { createNegativeBank } from '../../src/training/guidedNce.ts';
import { createLearner, DIALOGUE_EXTRAS } from '../../src/training/learner.ts';
import { showAll } from '../../src/training/masks.ts';
import {
  featureNames,
  globalStatistics,
  prepareDialogues,
  type PreparedDialogue,
  toModelConfig,
} from '../../src/training/prepare.ts';
import { parseTrainConfig } from '../../src/training/trainConfig.ts';
import { newLearnerState } from '../../src/training/trainee.ts';
import { itOn } from '../support/backends.ts';
import { createFolders, TINY_CONFIG, wordDataset, writeDataset } from '../support/tinyDataset.ts';
import { worstDifference } from '../support/tinyModel.ts';

const CONFIG = parseTrainConfig({ ...TINY_CONFIG, dropout: 0, losses: { bank: 64 } });
let model: ModelConfig;
let dialogues: PreparedDialogue[];

beforeAll(async () => {
  await installGradients();
  const dataset = await readDataset(await writeDataset(await createFolders()(), wordDataset({ train: 6 })));
  model = toModelConfig(CONFIG, [{ dataset, dialogues: dataset.dialogues }]);
  const statistics = globalStatistics(model, [{ dataset, dialogues: dataset.dialogues }], featureNames(CONFIG));
  dialogues = prepareDialogues(model, dataset, dataset.dialogues, statistics, featureNames(CONFIG));
});

type Learned = { readonly losses: readonly number[]; readonly logits: Float32Array; readonly tensors: number };

/** Five updates with every loss there is, then what the network says: of the whole dialogue, and without any future. */
async function learn(): Promise<Learned> {
  const extras = DIALOGUE_EXTRAS.map((spec) => [spec.name, startValuesOf(spec, 1)] as const);
  const learner = createLearner(model, CONFIG, newLearnerState(new Map([...initialValues(model, 1), ...extras])));
  const bank = createNegativeBank(model.width, 64);
  const batch = toBatch(dialogues, dialogues.map((dialogue) => showAll(model, dialogue))); // prettier-ignore
  const losses: number[] = [];
  let tensors = 0;
  for (const cut of [WHOLE_FUTURE, NO_FUTURE, WHOLE_FUTURE, NO_FUTURE, WHOLE_FUTURE]) {
    losses.push(await learner.learn(batch, { random: createRandom(1), cut, rate: 1, bank }));
    if (losses.length === 1) tensors = tf.memory().numTensors;
  }
  tensors -= tf.memory().numTensors;
  const logits = [await learner.infer(batch, WHOLE_FUTURE), await learner.infer(batch, NO_FUTURE)];
  learner.dispose();
  return { losses, logits: Float32Array.from(logits.flatMap((values) => [...values])), tensors };
}

describe('learning', () => {
  for (const backend of ['tensorflow', 'webgpu', 'wasm'] as const)
    itOn(
      backend,
      `on ${backend} goes as on cpu: losses and, after five updates, logits within 1e-4, no tensor left.`,
      async () => {
        const other = await learn();
        await startBackend('cpu');
        const cpu = await learn();
        expect(cpu.losses.at(-1)).toBeLessThan(cpu.losses[0] ?? NaN);
        expect(other.losses.map((loss, i) => Math.abs(loss - (cpu.losses[i] ?? NaN)) < 1e-4)).toEqual(
          other.losses.map(() => true),
        );
        expect(worstDifference(other.logits, cpu.logits)).toBeLessThan(1e-4);
        expect([other.tensors, cpu.tensors]).toEqual([0, 0]);
      },
    );
});
