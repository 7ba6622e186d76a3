import { UndertoneError } from '../../errors.ts';
import { MODALITIES, type Modality } from '../../domain/modality.ts';
import { readDataset } from '../../training/dataset.ts';
import { evaluate, type Evaluation, type EvaluationRow } from '../../training/evaluation.ts';
import { startTensorBackend } from '../tensorBackend.ts';
import { EXIT, type Terminal } from '../terminal.ts';
import { loadWeights } from '../weights.ts';

/** What `undertone evaluate` was asked for. */
export type EvaluateCommand = {
  readonly weights?: string | undefined;
  readonly data: string;
  readonly split: string;
  readonly show: readonly string[];
  readonly json: boolean;
};

/** Evaluates weights on a split of a dataset and prints the result. @throws UndertoneError BAD_WEIGHTS, BAD_DATASET */
export async function runEvaluate(command: EvaluateCommand, terminal: Terminal): Promise<number> {
  const unknown = command.show.find((name) => !(MODALITIES as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw new UndertoneError('BAD_OPTION', `--show: "${unknown}" is not one of ${MODALITIES.join(', ')}`);
  const [weights, dataset, backend] = await Promise.all([
    loadWeights(command.weights),
    readDataset(command.data),
    startTensorBackend(),
  ]);
  const shown = command.show.length > 0 ? (command.show as Modality[]) : MODALITIES;
  const evaluation = await evaluate(weights, dataset, command.split, shown);
  const about = { weights: weights.provenance.name, seed: weights.provenance.seed, backend: backend.name };
  terminal.out.write(`${command.json ? JSON.stringify({ ...about, ...toJson(evaluation) }) : render(evaluation)}\n`);
  return EXIT.done;
}

function toJson(evaluation: Evaluation): object {
  const last = evaluation.rows.at(-1) as EvaluationRow;
  return {
    ...evaluation,
    weightedF1: last.metrics.weightedF1,
    rows: evaluation.rows.map((row) => ({ ...row, lookAhead: Number.isFinite(row.lookAhead) ? row.lookAhead : 'inf' })),
  };
}

function render({ dataset, split, labels, shown, utterances, floor, rows }: Evaluation): string {
  const percent = (value: number): string => (100 * value).toFixed(1).padStart(5);
  const last = rows.at(-1) as EvaluationRow;
  return [
    `${dataset} ${split}: ${utterances} utterances, shown ${shown.join(' + ')}; always the commonest label: wF1 ${percent(floor).trim()}`,
    '',
    'look-ahead    wF1   95 % interval   macro F1   accuracy    ECE',
    ...rows.map(({ lookAhead, metrics, interval }) =>
      [
        (Number.isFinite(lookAhead) ? `${lookAhead}` : 'all').padStart(10),
        percent(metrics.weightedF1).padStart(6),
        `${percent(interval[0])} –${percent(interval[1])}`.padStart(15),
        percent(metrics.macroF1).padStart(10),
        percent(metrics.accuracy).padStart(10),
        percent(metrics.ece).padStart(6),
      ].join(' '),
    ),
    '',
    `F1 by label (whole dialogue): ${labels.map((label, i) => `${label} ${percent(last.metrics.classF1[i] ?? 0).trim()}`).join(', ')}`,
  ].join('\n');
}
