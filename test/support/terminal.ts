import { Writable } from 'node:stream';
import { main } from '../../src/app/main.ts';
import type { Terminal } from '../../src/app/terminal.ts';
import type { Insight } from '../../src/domain/insight.ts';
import { decodeInsight } from '../../src/protocol/insight.ts';

/** A terminal that keeps what is written to it; `interrupt` is a first Ctrl-C. */
export type FakeTerminal = Terminal & {
  readonly written: () => string;
  readonly errors: () => string;
  readonly interrupt: () => void;
};

/** Makes a terminal for a command that runs in this process. `onWrite` sees each text written to `out`. */
export function fakeTerminal(env: Terminal['env'] = {}, onWrite?: (text: string) => void): FakeTerminal {
  const [out, err] = [keepingOutput(onWrite), keepingOutput()];
  const stop = new AbortController();
  return {
    out: out.stream,
    err: err.stream,
    env,
    stop: stop.signal,
    isInterrupted: () => stop.signal.aborted,
    whenReady: () => undefined,
    onExit: () => undefined,
    written: out.text,
    errors: err.text,
    interrupt: () => stop.abort(),
  };
}

function keepingOutput(onWrite?: (text: string) => void): { stream: Writable; text: () => string } {
  const chunks: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      chunks.push(chunk);
      onWrite?.(chunk);
      done();
    },
  });
  return { stream, text: () => chunks.join('') };
}

/** What a command line did: its exit status, what it wrote, and the error lines that are about a failure. */
export type CommandOutcome = {
  readonly status: number;
  readonly out: string;
  readonly err: string;
  readonly failures: readonly string[];
};

/** Runs a command line in this process. */
export async function runCommand(
  argv: readonly string[],
  terminal: FakeTerminal = fakeTerminal(),
): Promise<CommandOutcome> {
  const status = await main(argv, terminal);
  return outcomeOf(status, terminal.written(), terminal.errors());
}

/** Sorts what a command wrote. A failure is a line that begins with "undertone: CODE:" or "fault CODE:". */
export function outcomeOf(status: number, out: string, err: string): CommandOutcome {
  return { status, out, err, failures: err.split('\n').filter((line) => /^(?:undertone:|fault) [A-Z_]+:/.test(line)) };
}

/** The insights of `--json` output. Fails on a line that src/protocol does not accept. */
export function insightsIn(out: string): readonly Insight[] {
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const decoded = decodeInsight(line);
      if (!decoded.ok) throw new Error(`a line of --json does not decode: ${decoded.rule}`);
      return decoded.insight;
    });
}
