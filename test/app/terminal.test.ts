import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { EXIT, processTerminal, type Terminal } from '../../src/app/terminal.ts';

class Exited extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`exit ${status}`);
    this.status = status;
  }
}

/** An output of a process: tells when it should be waited for. */
class FakeOutput extends EventEmitter {
  writableNeedDrain = false;
  readonly written: string[] = [];
  write(text: string): boolean {
    this.written.push(text);
    return true;
  }
}

/** A process that can be signalled; `exit` runs the exit listeners and throws, as nothing may run after it. */
function fakeProcess() {
  const proc = Object.assign(new EventEmitter(), {
    stdout: new FakeOutput(),
    stderr: new FakeOutput(),
    env: { LANG: 'C' },
    exit: (status: number): never => {
      proc.emit('exit', status);
      throw new Exited(status);
    },
  });
  return { proc, terminal: processTerminal(proc as unknown as NodeJS.Process) };
}

function listenersOf(proc: EventEmitter): number {
  return proc.eventNames().reduce((sum, name) => sum + proc.listenerCount(name), 0);
}

const writeError = (code: string): Error => Object.assign(new Error(`write ${code}`), { code, syscall: 'write' });

describe('processTerminal', () => {
  it('gives a command the outputs and the environment of the process, and nothing to worry about.', () => {
    const { proc, terminal } = fakeProcess();
    expect([terminal.out, terminal.err, terminal.env]).toEqual([proc.stdout, proc.stderr, proc.env]);
    expect([terminal.stop.aborted, terminal.isInterrupted(), terminal.whenReady()]).toEqual([false, false, undefined]);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'])(
    'asks the command to end at the first %s, and says how to quit at once.',
    (signal) => {
      const { proc, terminal } = fakeProcess();
      proc.emit(signal);
      expect([terminal.stop.aborted, terminal.isInterrupted()]).toEqual([true, true]);
      expect(proc.stderr.written).toEqual(['\nundertone: ending here; once more to quit at once\n']);
    },
  );

  it.each([
    ['SIGINT', 'SIGINT'],
    ['SIGINT', 'SIGTERM'],
  ])('ends the process with status 130 at %s and then %s, after cleaning up.', (first, second) => {
    const { proc, terminal } = fakeProcess();
    const cleanUp = vi.fn();
    terminal.onExit(cleanUp);
    proc.emit(first);
    expect(cleanUp).not.toHaveBeenCalled();
    expect(() => proc.emit(second)).toThrow(new Exited(EXIT.interrupted));
    expect(cleanUp).toHaveBeenCalledOnce();
  });

  it.each(['EPIPE', 'ERR_STREAM_DESTROYED'])(
    'ends without a word when nobody reads the output any more (%s).',
    (code) => {
      const { proc, terminal } = fakeProcess();
      proc.stdout.emit('error', writeError(code));
      proc.stdout.emit('error', writeError(code));
      expect([terminal.stop.aborted, terminal.isInterrupted()]).toEqual([true, false]);
      expect(proc.stderr.written).toEqual([]);
    },
  );

  it('ends with OUTPUT_FAILED when the output cannot be written for another reason.', () => {
    const { proc, terminal } = fakeProcess();
    expect(() => proc.stdout.emit('error', writeError('EIO'))).toThrow(new Exited(EXIT.refused));
    expect(proc.stderr.written).toEqual(['undertone: OUTPUT_FAILED: standard output cannot be written (EIO)\n']);
    expect(terminal.stop.aborted).toBe(true);
  });

  it('survives that nobody reads the errors.', () => {
    const { proc, terminal } = fakeProcess();
    proc.stderr.emit('error', writeError('EPIPE'));
    expect(terminal.stop.aborted).toBe(true);
  });

  const settled = async (ready: ReturnType<Terminal['whenReady']>): Promise<boolean> =>
    Promise.race([
      Promise.resolve(ready).then(() => true),
      new Promise<boolean>((resolve) => setImmediate(resolve, false)),
    ]);

  it('waits for a slow reader until it has caught up.', async () => {
    const { proc, terminal } = fakeProcess();
    proc.stdout.writableNeedDrain = true;
    const ready = terminal.whenReady();
    expect(await settled(ready)).toBe(false);
    proc.stdout.emit('drain');
    expect(await settled(ready)).toBe(true);
  });

  it('stops waiting for a slow reader at Ctrl-C, and does not begin to wait after it.', async () => {
    const { proc, terminal } = fakeProcess();
    proc.stdout.writableNeedDrain = true;
    const ready = terminal.whenReady();
    proc.emit('SIGINT');
    expect(await settled(ready)).toBe(true);
    expect(terminal.whenReady()).toBeUndefined();
  });

  it('leaves no listener behind however often it waits.', async () => {
    const { proc, terminal } = fakeProcess();
    const before = listenersOf(proc.stdout);
    proc.stdout.writableNeedDrain = true;
    for (let wait = 0; wait < 100; wait++) {
      const ready = terminal.whenReady();
      proc.stdout.emit('drain');
      await ready;
    }
    expect(listenersOf(proc.stdout)).toBe(before);
  });
});
