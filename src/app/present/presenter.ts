import type { Insight } from '../../domain/insight.ts';

/** Shows the insights of one session to people. Calls of `show` come in the order of `seq`; `close` comes once, last. */
export type Presenter = {
  show(insight: Insight): void;
  close(): Promise<void>;
};

/** What a presenter writes text to; `process.stdout` and `process.stderr` fit. */
export type TextOutput = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  getColorDepth?(env?: object): number;
};
