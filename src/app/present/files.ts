import { join } from 'node:path';
import type { Insight, ModalityInsight, SummaryInsight } from '../../domain/insight.ts';
import { createLastingAnswers } from '../../domain/lastingAnswers.ts';
import { encodeInsight } from '../../protocol/insight.ts';
import { renderCaptionsVtt } from './captionsVtt.ts';
import { createPendingFiles, type FileCalls } from './pendingFiles.ts';
import type { Presenter } from './presenter.ts';
import type { FinalUtterance } from './timeline.ts';
import { renderTimelineSvg } from './timelineSvg.ts';

/** The files a session leaves behind. */
export const OUTPUT_FILES = ['insights.jsonl', 'summary.json', 'captions.vtt', 'timeline.svg'] as const;

/** Writes a session to files. `paths` are where they lie after `close`. */
export type FileWriter = Presenter & {
  readonly paths: readonly string[];
  /** Ends without files, for a session that failed. Never throws, and does nothing after `close`. */
  discard(): void;
};

/** How many final utterances and modality changes captions and timeline hold; the lines of `insights.jsonl` hold all. */
export const MAX_KEPT_UTTERANCES = 20_000;
const MAX_KEPT_CHANGES = 10_000;
/** How much of a text captions and timeline hold, in UTF-16 code units. */
const MAX_KEPT_TEXT = 2_000;

/**
 * Returns a presenter that writes {@link OUTPUT_FILES} into a folder, which is created when missing. Each insight goes to
 * disk at once under a temporary name; `close` writes the other files and then gives all four their names. A session
 * that ends without a summary, or a write that fails, leaves no file behind.
 * @throws UndertoneError OUTPUT_FAILED, from here on, `show` and `close`: folder not writable, disk full.
 */
export function createFileWriter(folder: string, calls?: FileCalls): FileWriter {
  const pending = createPendingFiles(folder, calls);
  for (const name of OUTPUT_FILES) pending.begin(name);
  const answers = createLastingAnswers();
  const utterances = new Map<string, FinalUtterance>();
  const changes: ModalityInsight[] = [];
  let finals = 0;
  let summary: SummaryInsight | null = null;
  const keep = (insight: Insight): void => {
    if (insight.type === 'summary') summary = insight;
    if (insight.type === 'modality' && changes.length < MAX_KEPT_CHANGES) changes.push(insight);
    if (insight.type !== 'utterance' || !answers.isLasting(insight)) return;
    const { utteranceId, status } = insight;
    if (status === 'final') finals += 1;
    if (utterances.size < MAX_KEPT_UTTERANCES || utterances.has(utteranceId))
      utterances.set(utteranceId, keptOf(insight));
  };
  const writeRest = (ended: SummaryInsight): void => {
    pending.append('summary.json', `${JSON.stringify(JSON.parse(encodeInsight(ended)), null, 2)}\n`);
    const kept = [...utterances.values()];
    pending.append('captions.vtt', renderCaptionsVtt(kept, finals - kept.length));
    const { durationMs } = ended;
    pending.append('timeline.svg', renderTimelineSvg({ utterances: kept, modalityChanges: changes, durationMs }));
    pending.publish();
  };
  return {
    paths: OUTPUT_FILES.map((name) => join(folder, name)),
    show(insight) {
      pending.append('insights.jsonl', `${encodeInsight(insight)}\n`);
      keep(insight);
    },
    async close() {
      const ended = summary;
      summary = null;
      if (ended) writeRest(ended);
      else pending.discard();
    },
    discard: () => pending.discard(),
  };
}

function keptOf(insight: FinalUtterance): FinalUtterance {
  const { speaker, startMs, endMs, text, label, confidence, modalityWeights, availability } = insight;
  const short = text === null ? null : text.slice(0, MAX_KEPT_TEXT);
  return { speaker, startMs, endMs, text: short, label, confidence, modalityWeights, availability };
}
