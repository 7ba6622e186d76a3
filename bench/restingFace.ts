import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { processTerminal } from '../src/app/terminal.ts';
import { readWithFeatures } from '../src/app/loadSources.ts';
import { startTensorBackend } from '../src/app/tensorBackend.ts';
import { loadWeights } from '../src/app/weights.ts';
import type { Weights } from '../src/model/weights.ts';
import type { Dataset } from '../src/training/dataset.ts';
import { runPass } from '../src/training/evaluation/pass.ts';
import { type EvaluatedSplit, readSplit } from '../src/training/evaluation/split.ts';
import { computeMetrics, type Outcome } from '../src/training/metrics.ts';

/** Rows of a face that does not move: two seconds at 10 Hz. */
const FRAMES = 20;
const LOOK_AHEAD = 8;

/**
 * Prints what faces at rest do to answers that text and voice give: MELD's dev split as it is, and again with every speaker
 * showing one still of FER2013's dev split all the time: a neutral one, then a joyful one, as of somebody who smiles at
 * rest. A network that is not foolish answers alike. The data are in the folder UNDERTONE_SHARED.
 */
export async function benchRestingFace(file?: string): Promise<void> {
  const shared = process.env['UNDERTONE_SHARED'];
  if (shared === undefined) return console.log('faces at rest: MELD and FER2013 need UNDERTONE_SHARED');
  const weights = await loadWeights(file);
  await startTensorBackend('auto');
  const [calls, stills] = await Promise.all([read(shared, 'meld', weights), read(shared, 'face-fer2013', weights)]);
  const split = readSplit(weights.config, calls, 'dev');
  const plain = await classify(weights, split);
  console.log(`faces at rest, none: ${describeAnswers(plain, plain, weights)}`);
  for (const label of ['neutral', 'joy']) {
    const answers = await classify(
      weights,
      withRestingFaces(split, facesOf(stills, weights.config.labels.indexOf(label))),
    );
    console.log(`faces at rest, ${label}: ${describeAnswers(answers, plain, weights)}`);
  }
}

async function read(shared: string, name: string, { config }: Weights): Promise<Dataset> {
  const wanted = config.inputs.map((input) => input.name);
  const dataset = await readWithFeatures(join(shared, 'data', name), wanted, processTerminal());
  if (!dataset) throw new Error(`${name} was not read`);
  return dataset;
}

async function classify(weights: Weights, split: EvaluatedSplit): Promise<readonly Outcome[]> {
  const control = { advance: (): void => undefined, isStopped: (): boolean => false };
  const outcomes = await runPass(weights, split, { ...control, lookAheads: [LOOK_AHEAD] });
  return outcomes?.get(LOOK_AHEAD) ?? [];
}

function facesOf({ dialogues, features }: Dataset, label: number): Float32Array[] {
  const own = dialogues.filter((dialogue) => dialogue.split === 'dev').flatMap(({ utterances }) => utterances);
  return own.flatMap((u) => (u.label === label ? (features.get('face')?.rowsOf(u.index) ?? []) : []));
}

/** The same dialogues with a face that does not move for each speaker of each dialogue, one still after the other. */
function withRestingFaces(split: EvaluatedSplit, stills: readonly Float32Array[]): EvaluatedSplit {
  let next = 0;
  const dialogues = split.dialogues.map((dialogue) => {
    const faces = new Map<string, Float32Array>();
    const utterances = dialogue.utterances.map((u) => {
      const still = faces.get(u.speaker) ?? stills[next++ % stills.length] ?? new Float32Array(0);
      faces.set(u.speaker, still);
      const face = Float32Array.from({ length: FRAMES * still.length }, (_, i) => still[i % still.length] ?? 0);
      const availability = { ...u.evidence.availability, face: { share: 1 } };
      return { ...u, evidence: { ...u.evidence, face, availability }, present: [...u.present, 'face' as const] };
    });
    return { ...dialogue, utterances };
  });
  return { ...split, dialogues };
}

function describeAnswers(answers: readonly Outcome[], plain: readonly Outcome[], { config }: Weights): string {
  const percent = (share: number): string => (100 * share).toFixed(1);
  const answerOf = ({ probabilities }: Outcome): number => probabilities.indexOf(Math.max(...probabilities));
  const share = (is: (answer: Outcome, i: number) => boolean): string =>
    percent(answers.filter(is).length / answers.length);
  const { weightedF1 } = computeMetrics([...answers], config.labels.length);
  const [neutral, joy] = ['neutral', 'joy'].map((label) => share((a) => config.labels[answerOf(a)] === label));
  const same = share((a, i) => answerOf(a) === answerOf(plain[i] as Outcome));
  return `weighted F1 ${percent(weightedF1)}, ${same} % answered as without, ${neutral} % neutral, ${joy} % joy`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const at = process.argv.indexOf('--weights');
  await benchRestingFace(at < 0 ? undefined : process.argv[at + 1]);
}
