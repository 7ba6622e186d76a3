import type { MissingReason } from '../../domain/modality.ts';
import type { IngestStream } from './ingestStream.ts';
import type { TimedEvent } from './sourceEvent.ts';

/** Says which streams deliver nothing, why, and when they do again. */
export type Interruptions = {
  /** The connection of a producer is lost, or it is back. */
  lose(producer: string, own: readonly IngestStream[]): void;
  find(producer: string, own: readonly IngestStream[]): void;
  isLost(producer: string): boolean;
  readonly isAnybodyLost: boolean;
  interrupt(stream: IngestStream, reason: MissingReason): void;
  /** A stream delivers again or, when it is muted or off, is not meant to, or there is no time for it. */
  follow(stream: IngestStream): void;
};

/** Returns the interruptions of a session in which every stream delivers; `tell` is told of each once. */
export function createInterruptions(tell: (event: TimedEvent['event']) => void): Interruptions {
  const lost = new Set<string>();
  const interrupt = (stream: IngestStream, reason: MissingReason): void => {
    if (stream.interruption === reason) return;
    stream.interruption = reason;
    tell({ type: 'streamInterrupted', streamId: stream.entry.declaration.streamId, reason });
  };
  const follow = (stream: IngestStream): void => {
    if (stream.state !== 'live') return interrupt(stream, stream.state);
    if (stream.isShed) return interrupt(stream, 'overload');
    if (stream.interruption === undefined) return;
    stream.interruption = undefined;
    tell({ type: 'streamRestored', streamId: stream.entry.declaration.streamId });
  };
  return {
    lose: (producer, own) => {
      lost.add(producer);
      for (const stream of own) interrupt(stream, 'disconnected');
    },
    find: (producer, own) => {
      lost.delete(producer);
      own.forEach(follow);
    },
    isLost: (producer) => lost.has(producer),
    get isAnybodyLost() {
      return lost.size > 0;
    },
    interrupt,
    follow,
  };
}
