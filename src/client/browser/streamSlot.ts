import type { Producer } from '../producer.ts';

/** A stream of a producer for a device that may go and come back: then under another id, since none is used twice. */
export type StreamSlot = {
  /** The id of the stream that is open; nothing when it has ended. */
  readonly streamId: string | undefined;
  /** May anything be made of it now, as far as its participant and the server say? */
  readonly isWanted: boolean;
  /** Tells the server when it changes, and again of a stream that begins anew. */
  setMuted(isMuted: boolean): void;
  /** The device is gone: the stream ends, if it has not. */
  end(): void;
  /** There is a device: a stream that ended begins anew, as `ID.2`, `ID.3` …. */
  begin(): void;
};

/** Returns a slot that holds a stream which is open. @throws TypeError when it is not. */
export function createStreamSlot(producer: Producer, streamId: string): StreamSlot {
  const { number: _number, ...declaration } = producer.stream(streamId);
  let open: string | undefined = streamId;
  let count = 1;
  let isMuted = false;
  const tell = (to: string): void => (isMuted ? producer.mute(to) : producer.unmute(to));
  return {
    get streamId() {
      return open;
    },
    get isWanted() {
      return open !== undefined && producer.refusal(open) === undefined;
    },
    setMuted: (muted) => {
      if (muted === isMuted) return;
      isMuted = muted;
      if (open !== undefined) tell(open);
    },
    end: () => {
      if (open !== undefined) producer.endStream(open);
      open = undefined;
    },
    begin: () => {
      if (open !== undefined) return;
      open = `${streamId}.${++count}`;
      producer.openStream({ ...declaration, streamId: open });
      if (isMuted) tell(open);
    },
  };
}
