import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Modality } from '../../domain/modality.ts';
import { evaluate } from '../../training/evaluation/evaluate.ts';
import { encodeMasks, parseMasks } from '../../training/evaluation/maskFile.ts';
import { drawRateMasks, EVALUATION_SEED, type RateMasks } from '../../training/evaluation/hiddenModalities.ts';
import type { Evaluation } from '../../training/evaluation/result.ts';
import { StoppedError } from '../../training/evaluation/runner.ts';
import type { EvaluatedSplit } from '../../training/evaluation/split.ts';
import { readWithFeatures } from '../loadSources.ts';
import { createPendingFiles, type PendingFiles } from '../present/pendingFiles.ts';
import { toCharts } from '../report/charts.ts';
import { type EvaluateCommand, parseEvaluateLists } from '../report/evaluateOptions.ts';
import { createEvaluationProgress } from '../report/evaluationProgress.ts';
import { toReportJson } from '../report/reportJson.ts';
import { type EvaluationSource, renderReportMarkdown } from '../report/reportMarkdown.ts';
import { renderReportText } from '../report/reportText.ts';
import { startTensorBackend } from '../tensorBackend.ts';
import { EXIT, type Terminal } from '../terminal.ts';
import { loadWeights } from '../weights.ts';

const MASKS = 'masks.json';

/**
 * Evaluates weights on a split of a dataset, prints the result and, with `--out`, writes report, charts and masks. Returns
 * 0, or 130 when it was interrupted: then no file is written.
 * @throws UndertoneError BAD_OPTION, BAD_WEIGHTS, BAD_DATASET, OUTPUT_FAILED
 */
export async function runEvaluate(command: EvaluateCommand, terminal: Terminal): Promise<number> {
  const { shown, lookAheads, missing, ablations } = parseEvaluateLists(command);
  const [weights, others, backend, kept] = await Promise.all([
    loadWeights(command.weights),
    Promise.all(command.compare.map((path) => loadWeights(path))),
    startTensorBackend(command.backend),
    command.out === undefined ? undefined : readFile(join(command.out, MASKS), 'utf8').catch(() => undefined),
  ]);
  const wanted = [weights, ...others].flatMap(({ config }) => config.inputs.map(({ name }) => name));
  const dataset = await readWithFeatures(command.data, wanted, terminal);
  if (!dataset) return EXIT.interrupted;
  const files = command.out === undefined ? undefined : createPendingFiles(command.out);
  if (files) terminal.onExit(() => files.discard());
  const progress = createEvaluationProgress(terminal.err, () => performance.now());
  try {
    const evaluation = await evaluate(weights, dataset, command.split, {
      shown,
      lookAheads,
      subsets: missing.includes('subsets'),
      rateMasks: missing.includes('rates') ? createMasks(kept, files, terminal) : undefined,
      ...(ablations.length > 0 && { ablations }),
      shuffleSpeakers: command.shuffleSpeakers,
      ...(others.length > 0 && { others }),
      onProgress: progress.update,
      isStopped: () => terminal.stop.aborted,
    });
    progress.close();
    const { name, seed, trainedOn, licence } = weights.provenance;
    const source: EvaluationSource = { weights: name, seed, trainedOn, licence, backend: backend.name };
    if (files) writeReport(files, evaluation, source);
    const text = command.json ? JSON.stringify(toReportJson(evaluation, source)) : renderReportText(evaluation);
    terminal.out.write(`${text}\n`);
    return EXIT.done;
  } catch (error) {
    files?.discard();
    progress.close();
    if (!(error instanceof StoppedError)) throw error;
    return terminal.isInterrupted() ? EXIT.interrupted : EXIT.done;
  }
}

/** Masks as they are kept in the output folder, or drawn now and kept there. */
function createMasks(
  kept: string | undefined,
  files: PendingFiles | undefined,
  terminal: Terminal,
): (split: EvaluatedSplit, shown: readonly Modality[]) => RateMasks {
  return (split, shown) => {
    const found = kept === undefined ? undefined : parseMasks(kept, split, shown);
    if (kept !== undefined && !found)
      terminal.err.write(`${MASKS} does not fit this split and these modalities; masks are drawn anew\n`);
    const masks = found ?? drawRateMasks(split, shown, EVALUATION_SEED);
    files?.begin(MASKS);
    files?.append(MASKS, encodeMasks(split, shown, masks));
    return masks;
  };
}

function writeReport(files: PendingFiles, evaluation: Evaluation, source: EvaluationSource): void {
  const charts = toCharts(evaluation);
  const texts = new Map<string, string>(charts.map(({ file, svg }) => [file, svg]));
  texts.set('report.md', renderReportMarkdown(evaluation, source, charts));
  texts.set('report.json', `${JSON.stringify(toReportJson(evaluation, source), null, 1)}\n`);
  for (const [name, text] of texts) {
    files.begin(name);
    files.append(name, text);
  }
  files.publish();
}
