import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { UndertoneError } from '../../../src/errors.ts';

const MAX_LINE_CHARACTERS = 2_048;

/**
 * Yields what ffmpeg writes on stdout, as fast as it is read: while nobody reads, the pipe is full and ffmpeg waits.
 * Returns the exit code (null when a signal ended it) after all lines of stderr were given to `onLine`, each cut to
 * 2,048 characters; lines can hold what a file says of itself (titles), so they are matched and never shown.
 * Leaving early ends the process; in every case it is gone before the generator is done.
 * @throws UndertoneError FFMPEG_MISSING when the binary does not start.
 */
export async function* readFfmpeg(
  binary: string,
  args: readonly string[],
  onLine: (text: string) => void,
): AsyncGenerator<Uint8Array, number | null, undefined> {
  const child = spawn(binary, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
    env: { ...process.env, AV_LOG_FORCE_NOCOLOR: '1', AV_LOG_FORCE_COLOR: undefined, FFREPORT: undefined },
  });
  const gone = toExit(child);
  try {
    forEachLine(child.stderr, onLine);
    for await (const chunk of child.stdout) yield toBytes(chunk);
  } finally {
    // By now it has written everything and is ending on its own, or nobody wants the rest.
    if (!child.stdout.readableEnded) child.kill('SIGKILL');
    await gone.done;
    if (gone.startError !== null) {
      const message = `${binary} does not start; set FFMPEG_PATH to an ffmpeg binary or install ffmpeg`;
      throw new UndertoneError('FFMPEG_MISSING', message, { cause: gone.startError });
    }
  }
  return gone.code;
}

type Exit = { startError: Error | null; code: number | null; done: Promise<void> };

function toExit(child: ChildProcess): Exit {
  const exit: Exit = { startError: null, code: null, done: Promise.resolve() };
  exit.done = new Promise((resolve) => {
    child.once('error', (error) => {
      if (child.pid !== undefined) return; // a kill that failed: it is gone already
      exit.startError = error;
      resolve();
    });
    child.once('close', (code) => {
      exit.code = code;
      resolve();
    });
  });
  return exit;
}

function toBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new TypeError('stdout of ffmpeg must be read as bytes');
}

/** Calls `onLine` for each line; never holds more than one line, and of that only its beginning. */
function forEachLine(stream: Readable, onLine: (text: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = text.split(/\r\n|\n|\r/);
    const last = lines.pop() ?? '';
    for (const line of lines) {
      onLine((rest + line).slice(0, MAX_LINE_CHARACTERS));
      rest = '';
    }
    rest = (rest + last).slice(0, MAX_LINE_CHARACTERS);
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}
