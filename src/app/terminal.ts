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
  /** Calls `cleanUp`, which must not wait, when the process ends, however it ends. */
  readonly onExit: (cleanUp: () => void) => void;
};

/**
 * Ties a terminal to this process: the first Ctrl-C (or SIGTERM, SIGHUP) asks the command to end, the second ends the
 * process at once; when the reader of standard output goes away (`| head -1`) the command ends without complaint, when
 * standard output cannot be written for another reason the process ends with OUTPUT_FAILED.
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
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) proc.on(signal, interrupt);
  proc.stdout.on('error', (error: NodeJS.ErrnoException) => {
    stop.abort();
    if (isReaderGone(error)) return;
    proc.stderr.write(`undertone: OUTPUT_FAILED: ${outputRule(error)}\n`);
    proc.exit(EXIT.refused);
  });
  proc.stderr.on('error', () => stop.abort());
  return {
    out: proc.stdout,
    err: proc.stderr,
    env: proc.env,
    stop: stop.signal,
    isInterrupted: () => isInterrupted,
    whenReady: () => whenDrained(proc.stdout, stop.signal),
    onExit: (cleanUp) => void proc.once('exit', cleanUp),
  };
}

/** Resolves when a command should come to an end. */
export function untilStopped(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve();
    stop.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Says why standard output cannot be written, with the system's code. */
export function outputRule({ code }: NodeJS.ErrnoException): string {
  return `standard output cannot be written (${code ?? 'unknown reason'})`;
}

/** Whether a write failed because nobody reads any more, rather than because there is no room. */
function isReaderGone({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED' || code === 'ERR_STREAM_WRITE_AFTER_END';
}

function whenDrained(out: NodeJS.WriteStream, stop: AbortSignal): Promise<void> | undefined {
  if (!out.writableNeedDrain || stop.aborted) return undefined;
  return new Promise((resolve) => {
    const done = (): void => {
      out.off('drain', done);
      stop.removeEventListener('abort', done);
      resolve();
    };
    out.on('drain', done);
    stop.addEventListener('abort', done);
  });
}
