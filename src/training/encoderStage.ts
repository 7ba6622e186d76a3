import { softmax } from '../model/conversation.ts';
import type { ModelConfig } from '../model/config.ts';
import { startValuesOf } from '../model/parameters.ts';
import { createRandom, deriveSeed, type Random, shuffle } from '../model/random.ts';
import { augmentUtterance } from './augment.ts';
import type { Corpus, Example } from './corpus.ts';
import { createEncoderLearner, type EncoderLearner, headSpecs } from './encoderLearner.ts';
import { type BatchEvent, learnBatches } from './learnBatches.ts';
import { areaUnderCurve, computeMetrics } from './metrics.ts';
import type { EncoderStage } from './stageConfig.ts';
import type { LearnerState } from './trainee.ts';

/**
 * What a stage reports. `dev`: by corpus, the weighted F1 of its classes, the area under the ROC curve where there are only
 * two, or the mean correlation of its values.
 */
export type StageEvent =
  | BatchEvent
  | {
      readonly type: 'epoch';
      readonly stage: string;
      readonly epoch: number;
      readonly loss: number;
      readonly dev: Readonly<Record<string, number>>;
      /** Share that is right, of corpora with classes. */
      readonly accuracy: Readonly<Record<string, number>>;
    };

/** What a stage needs beside its data. */
export type StageRun = {
  readonly model: ModelConfig;
  readonly seed: number;
  readonly perEpoch: ReadonlyMap<string, number | undefined>;
  readonly isStopped: () => boolean;
  readonly report: (event: StageEvent) => void;
  /** Called after each epoch, before the next one. */
  readonly keep: (epoch: number) => Promise<void>;
};

/**
 * Pre-trains one encoder from `state`, which is changed in place, beginning after `done` epochs. Batches are of one corpus
 * each; all corpora are mixed. Returns false when it was stopped. All randomness is drawn anew for each epoch.
 */
export async function runEncoderStage(
  stage: EncoderStage,
  corpora: readonly Corpus[],
  state: LearnerState,
  done: number,
  run: StageRun,
): Promise<boolean> {
  for (const spec of headSpecs(run.model, stage, corpora))
    if (!state.values.has(spec.name)) state.values.set(spec.name, startValuesOf(spec, run.seed));
  const learner = createEncoderLearner(run.model, stage, corpora, state);
  try {
    for (let epoch = done + 1; epoch <= stage.epochs; epoch++) {
      const loss = await runEpoch(stage, corpora, learner, epoch, run);
      if (loss === undefined) return false;
      const dev: Record<string, number> = {};
      const accuracy: Record<string, number> = {};
      for (const corpus of corpora) {
        if (corpus.dev.length === 0) continue;
        const measured = await measure(learner, corpus);
        dev[corpus.name] = measured.score;
        if (measured.accuracy !== undefined) accuracy[corpus.name] = measured.accuracy;
      }
      await run.keep(epoch);
      run.report({ type: 'epoch', stage: stage.name, epoch, loss, dev, accuracy });
    }
    return true;
  } finally {
    learner.dispose();
  }
}

async function runEpoch(
  stage: EncoderStage,
  corpora: readonly Corpus[],
  learner: EncoderLearner,
  epoch: number,
  run: StageRun,
): Promise<number | undefined> {
  const random = createRandom(deriveSeed(run.seed, stage.name, epoch));
  const batches = drawBatches(stage, corpora, run, random);
  const learn = ({ corpus, examples }: Batch, rate: number): Promise<number> => {
    const seen = examples.map(({ utterance, target }) => ({
      utterance: augmentUtterance(run.model, utterance, stage.augment, random),
      target,
    }));
    return learner.learn(corpus, seen, { random, rate });
  };
  const { epochs, warmUpSteps } = stage;
  return learnBatches(batches, learn, { ...run, stage: stage.name, epoch, epochs, warmUpSteps, state: learner.state });
}

type Batch = { readonly corpus: Corpus; readonly examples: readonly Example[] };

function drawBatches(stage: EncoderStage, corpora: readonly Corpus[], run: StageRun, random: Random): Batch[] {
  const batches = corpora.flatMap((corpus) => {
    const drawn = shuffle([...corpus.train], random).slice(0, run.perEpoch.get(corpus.name));
    return Array.from({ length: Math.ceil(drawn.length / stage.batchUtterances) }, (_, b) => ({
      corpus,
      examples: drawn.slice(b * stage.batchUtterances, (b + 1) * stage.batchUtterances),
    }));
  });
  return shuffle(batches, random);
}

/** Weighted F1, area under the ROC curve or mean Pearson correlation on the dev examples; see {@link StageEvent}. */
async function measure(learner: EncoderLearner, corpus: Corpus): Promise<{ score: number; accuracy?: number }> {
  const size = corpus.names.length;
  const outputs: Float32Array[] = [];
  for (let at = 0; at < corpus.dev.length; at += 256) {
    const some = corpus.dev.slice(at, at + 256);
    const flat = await learner.infer(corpus, some);
    some.forEach((_, i) => outputs.push(flat.slice(i * size, (i + 1) * size)));
  }
  if (corpus.target === 'values') return { score: meanCorrelation(outputs, corpus, size) };
  const outcomes = outputs.map((logits, i) => {
    const target = corpus.dev[i]?.target ?? new Float32Array(size);
    return { dialogue: `${i}`, truth: target.indexOf(Math.max(...target)), probabilities: softmax(logits, 1) };
  });
  const { weightedF1, accuracy } = computeMetrics(outcomes, size);
  if (size > 2) return { score: weightedF1, accuracy };
  const score = areaUnderCurve(
    outputs.map(([no, yes]) => (yes as number) - (no as number)),
    corpus.dev.map(({ target }) => (target[1] as number) > 0.5),
  );
  return { score, accuracy };
}

function meanCorrelation(outputs: readonly Float32Array[], corpus: Corpus, size: number): number {
  const column = (k: number): [number[], number[]] => [
    outputs.map((row) => row[k] as number),
    corpus.dev.map(({ target }) => target[k] as number),
  ];
  return Array.from({ length: size }, (_, k) => correlation(...column(k))).reduce((a, b) => a + b, 0) / size;
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (list: readonly number[]): number => list.reduce((x, y) => x + y, 0) / Math.max(1, list.length);
  const [ma, mb] = [mean(a), mean(b)];
  const dot = (f: (i: number) => number): number => a.reduce((sum, _, i) => sum + f(i), 0);
  const cov = dot((i) => ((a[i] as number) - ma) * ((b[i] as number) - mb));
  const va = dot((i) => ((a[i] as number) - ma) ** 2);
  const vb = dot((i) => ((b[i] as number) - mb) ** 2);
  return va > 0 && vb > 0 ? cov / Math.sqrt(va * vb) : 0;
}
