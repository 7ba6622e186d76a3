import { describe, expect, it } from 'vitest';
import { schedule } from '../../src/training/adam.ts';
import { type BatchEvent, type EpochRun, learnBatches } from '../../src/training/learnBatches.ts';

function runOf(changes: Partial<EpochRun> = {}): { readonly run: EpochRun; readonly events: BatchEvent[] } {
  const events: BatchEvent[] = [];
  const run: EpochRun = {
    stage: 'words',
    epoch: 2,
    epochs: 4,
    warmUpSteps: 3,
    state: { step: 0 },
    isStopped: () => false,
    report: (event) => events.push(event),
    ...changes,
  };
  return { run, events };
}

describe('learnBatches', () => {
  it('learns from the batches in order and returns their mean loss', async () => {
    const { run, events } = runOf();
    const seen: string[] = [];
    const loss = await learnBatches(['a', 'b'], async (batch) => seen.push(batch) * 3, run);
    expect(seen).toEqual(['a', 'b']);
    expect(loss).toBe((3 + 6) / 2);
    expect(events).toEqual([
      { type: 'batch', stage: 'words', epoch: 2, epochs: 4, batch: 1, batches: 2, loss: 3 },
      { type: 'batch', stage: 'words', epoch: 2, epochs: 4, batch: 2, batches: 2, loss: 6 },
    ]);
  });

  it('follows the schedule over all epochs with the steps that the state has counted', async () => {
    const state = { step: 5 };
    const { run } = runOf({ state });
    const rates: number[] = [];
    await learnBatches(
      [0, 1],
      async (_, rate) => {
        state.step++;
        rates.push(rate);
        return 0;
      },
      run,
    );
    expect(rates).toEqual([schedule(5, 3, 8), schedule(6, 3, 8)]);
  });

  it('returns nothing once it was stopped, and learns no further batch', async () => {
    let learnt = 0;
    const { run, events } = runOf({ isStopped: () => learnt === 2 });
    expect(await learnBatches([0, 1, 2], async () => ++learnt, run)).toBeUndefined();
    expect(learnt).toBe(2);
    expect(events).toHaveLength(2);
  });

  it('has a loss of zero when there is nothing to learn from', async () => {
    expect(await learnBatches([], async () => 1, runOf().run)).toBe(0);
  });

  it('passes on an error of a batch', async () => {
    const fail = async (): Promise<number> => Promise.reject(new RangeError('loss'));
    await expect(learnBatches([0], fail, runOf().run)).rejects.toThrow('loss');
  });
});
