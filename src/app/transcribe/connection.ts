import type { RecognizerEvent, RecognizerStream } from '../../adapter.ts';
import { UndertoneError } from '../../errors.ts';
import type { Member, Needs } from './pool.ts';
import { createSoundMap } from './soundMap.ts';

/** Calls back after some ms unless the returned function is called before; the product's is `setTimeout`. */
export type Timers = { after(ms: number, callback: () => void): () => void };

/** The timers of the process. */
export const WALL_TIMERS: Timers = {
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** What a connection needs, and whom it tells: of events in session time, that it failed while nobody waited, that it closed. */
export type ConnectionOptions = {
  readonly needs: Needs;
  readonly timers: Timers;
  readonly finalWaitMs: number;
  readonly onEvent: (connection: Connection, event: RecognizerEvent) => void;
  readonly onFailure: () => void;
  readonly onClosed: () => void;
};

/** One stream of one recognizer. Each step rejects when the recognizer fails, or takes longer than `STALL_MS`. */
export type Connection = {
  readonly member: Member;
  /** Resolves when the stream is open. */
  readonly ready: Promise<void>;
  /** Why the recognizer gave up, once it did. */
  readonly error: UndertoneError | undefined;
  readonly isClosed: boolean;
  write(startMs: number, samples: Float32Array): Promise<void>;
  /** Asks for a final; resolves when a local recognizer has given it, or none came of the speech. */
  finalize(): Promise<void>;
  end(): Promise<void>;
  /** Closes the stream; a step that is under way rejects. */
  close(): void;
};

/** A recognizer that does not take sound or end for so long, in wall time, has stalled. */
export const STALL_MS = 10_000;
const NOTHING = new Float32Array(0);

/** Opens a stream of a recognizer. */
export function connect(member: Member, options: ConnectionOptions): Connection {
  const { needs, timers } = options;
  const sound = createSoundMap();
  let stream: RecognizerStream | undefined;
  let error: UndertoneError | undefined;
  let isClosed = false;
  let failWaiting: ((error: UndertoneError) => void) | undefined;
  let onFinal: (() => void) | undefined;

  const failed = (how: string): UndertoneError =>
    new UndertoneError('RECOGNIZER_FAILED', `${member.recognizer.name} ${how}`);
  const step = <T>(work: () => Promise<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (error) return reject(error);
      const give = (failure: Error): void => {
        cancel();
        failWaiting = undefined;
        reject(failure);
      };
      const cancel = timers.after(STALL_MS, () => give(failed(`stalled for ${STALL_MS} ms`)));
      failWaiting = give;
      work().then(
        (done) => {
          cancel();
          failWaiting = undefined;
          resolve(done);
        },
        (cause: unknown) => give(cause instanceof Error ? cause : failed('failed')),
      );
    });
  const fail = (failure: UndertoneError): void => {
    if (isClosed) return;
    error ??= failure;
    if (failWaiting) failWaiting(failure);
    else options.onFailure();
  };
  const hear = (event: RecognizerEvent): void => {
    if (isClosed) return;
    options.onEvent(
      connection,
      inSession(event, (atMs, isEnd) => sound.toSessionMs(atMs, isEnd)),
    );
    if (event.type === 'final') onFinal?.();
  };
  const open = async (): Promise<void> => {
    const opened = await member.recognizer.open({ ...needs, onEvent: hear, onError: fail });
    if (isClosed) opened.close();
    stream = opened;
  };
  const remoteFinal = (): Promise<void> =>
    new Promise((resolve) => {
      const cancel = timers.after(options.finalWaitMs, resolve);
      onFinal = () => {
        cancel();
        resolve();
      };
    });

  const connection: Connection = {
    member,
    ready: step(open),
    get error() {
      return error;
    },
    get isClosed() {
      return isClosed;
    },
    write: (startMs, samples) => {
      const lengthMs = samples.length / 16;
      sound.add(startMs, lengthMs);
      member.spentMs += lengthMs;
      return step(() => stream?.write(samples) ?? Promise.resolve());
    },
    finalize: async () => {
      const isAwaited = !member.recognizer.capabilities.isLocal && options.finalWaitMs > 0;
      const final = isAwaited ? remoteFinal() : Promise.resolve();
      await step(async () => {
        stream?.finalize();
        await stream?.write(NOTHING);
        await final;
      });
    },
    end: () => step(() => stream?.end() ?? Promise.resolve()),
    close: () => {
      if (isClosed) return;
      isClosed = true;
      failWaiting?.(failed('was closed'));
      stream?.close();
      options.onClosed();
    },
  };
  return connection;
}

function inSession(event: RecognizerEvent, toMs: (atMs: number, isEnd: boolean) => number): RecognizerEvent {
  const span = { startMs: toMs(event.startMs, false), endMs: toMs(event.endMs, true) };
  if (event.type === 'interim') return { ...event, ...span };
  const words = event.words?.map((word) => {
    const startMs = toMs(word.startMs, false);
    return { ...word, startMs, endMs: Math.max(startMs, toMs(word.endMs, true)) };
  });
  return { ...event, ...span, ...(words && { words }) };
}
