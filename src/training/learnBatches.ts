import { schedule } from './adam.ts';

/** What is reported after every batch, of whichever stage. */
export type BatchEvent = {
  readonly type: 'batch';
  readonly stage: string;
  readonly epoch: number;
  readonly epochs: number;
  readonly batch: number;
  readonly batches: number;
  readonly loss: number;
};

/** The epoch that batches belong to, and what to ask and tell between them. */
export type EpochRun = {
  readonly stage: string;
  readonly epoch: number;
  readonly epochs: number;
  readonly warmUpSteps: number;
  /** Counts the updates of the stage; it goes on from epoch to epoch. */
  readonly state: { readonly step: number };
  readonly isStopped: () => boolean;
  readonly report: (event: BatchEvent) => void;
};

/**
 * Learns from the batches of one epoch in order and returns their mean loss, or `undefined` when it was stopped.
 * @param learn one update at a factor of the learning rates; returns the loss
 */
export async function learnBatches<T>(
  batches: readonly T[],
  learn: (batch: T, rate: number) => Promise<number>,
  { stage, epoch, epochs, warmUpSteps, state, isStopped, report }: EpochRun,
): Promise<number | undefined> {
  let sum = 0;
  for (const [b, batch] of batches.entries()) {
    const loss = await learn(batch, schedule(state.step, warmUpSteps, epochs * batches.length));
    sum += loss;
    report({ type: 'batch', stage, epoch, epochs, batch: b + 1, batches: batches.length, loss });
    await new Promise((resolve) => setImmediate(resolve)); // lets signals and other work through
    if (isStopped()) return undefined;
  }
  return sum / Math.max(1, batches.length);
}
