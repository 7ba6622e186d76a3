import type { Insight } from '../domain/insight.ts';

/** Insights that wait for somebody who reads them one by one. */
export class InsightQueue {
  readonly #maxQueued: number;
  #waiting: Insight[] = [];

  constructor(maxQueued: number) {
    this.#maxQueued = maxQueued;
  }

  get length(): number {
    return this.#waiting.length;
  }

  get isFull(): boolean {
    return this.#waiting.length >= this.#maxQueued;
  }

  /**
   * Adds an insight. When the queue is full, those that a later one in it replaces go first: interim words and answers about
   * an utterance that was answered again. Returns how many went; the queue may still be full.
   */
  push(insight: Insight): number {
    this.#waiting.push(insight);
    if (!this.isFull) return 0;
    const before = this.#waiting.length;
    this.#waiting = withoutReplaced(this.#waiting);
    return before - this.#waiting.length;
  }

  shift(): Insight | undefined {
    return this.#waiting.shift();
  }
}

function withoutReplaced(insights: readonly Insight[]): Insight[] {
  const seen = new Set<string>();
  const kept = insights.toReversed().filter((insight) => {
    const key = replacementKey(insight);
    if (key === undefined) return true;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  return kept.toReversed();
}

/** Insights of one key replace each other; those without are all wanted. */
function replacementKey(insight: Insight): string | undefined {
  if (insight.type === 'utterance') return `utterance ${insight.utteranceId}`;
  if (insight.type === 'interim') return `interim ${insight.streamId}`;
  return undefined;
}
