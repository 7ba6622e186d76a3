import { describe, expect, it } from 'vitest';
import { createInsightLog } from '../../src/server/insightLog.ts';
import { sampleSummary, sampleUtterance } from '../support/sampleInsights.ts';

describe('createInsightLog', () => {
  it('lets nobody miss a final answer or the text that comes after it', () => {
    const log = createInsightLog(10);
    const isDroppable = (['provisional', 'revised', 'final', 'revised'] as const).map(
      (status, index) => log.append({ ...sampleUtterance(), seq: index + 1, status }).isDroppable,
    );
    expect(isDroppable).toEqual([true, true, false, false]);
  });

  it('holds the latest insights and says which is the first', () => {
    const log = createInsightLog(2);
    for (const seq of [1, 2, 3]) log.append({ ...sampleSummary(), seq });
    expect(log.lastSeq).toBe(3);
    expect(log.firstSeq).toBe(2);
    expect([0, 1, 2, 3, 4].map((seq) => log.at(seq)?.seq)).toEqual([undefined, undefined, 2, 3, undefined]);
    expect(createInsightLog(2)).toMatchObject({ firstSeq: 1, lastSeq: 0 });
  });
});
