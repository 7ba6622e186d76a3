import type { TextOutput } from './present/presenter.ts';

/** Exit statuses of every command. */
export const EXIT: Readonly<Record<'done' | 'failed' | 'refused' | 'interrupted', number>> = {
  done: 0,
  failed: 1,
  refused: 2,
  interrupted: 130,
};

/** What a command has of the process it runs in. */
export type Terminal = {
  readonly out: TextOutput;
  readonly err: TextOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when the command should come to an end: Ctrl-C, or nobody reads the output any more. */
  readonly stop: AbortSignal;
  readonly isInterrupted: () => boolean;
  /** Waits while the reader of `out` is slower than we are. */
  readonly whenReady: () => Promise<void> | undefined;
};

/**
 * Ties a terminal to this process: the first Ctrl-C (or SIGTERM) asks the command to end, the second ends the process at
 * once; when the reader of standard output goes away (`| head -1`) the command ends without complaint.
 */
export function processTerminal(proc: NodeJS.Process = process): Terminal {
  const stop = new AbortController();
  let isInterrupted = false;
  const interrupt = (): void => {
    if (isInterrupted) proc.exit(EXIT.interrupted);
    isInterrupted = true;
    proc.stderr.write('\nundertone: ending here; once more to quit at once\n');
    stop.abort();
  };
  proc.on('SIGINT', interrupt);
  proc.on('SIGTERM', interrupt);
  proc.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    stop.abort();
  });
  proc.stderr.on('error', () => stop.abort());
  return {
    out: proc.stdout,
    err: proc.stderr,
    env: proc.env,
    stop: stop.signal,
    isInterrupted: () => isInterrupted,
    whenReady: () => {
      if (!proc.stdout.writableNeedDrain || stop.signal.aborted) return undefined;
      return new Promise((resolve) => {
        proc.stdout.once('drain', resolve);
        stop.signal.addEventListener('abort', () => resolve(), { once: true });
      });
    },
  };
}
