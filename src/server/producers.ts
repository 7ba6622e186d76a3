import { randomBytes, timingSafeEqual } from 'node:crypto';
import { UndertoneError } from '../errors.ts';

/** A connection as its producer sees it: it can be told to go. */
export type Evictable = { readonly evict: () => void };

/** Someone who sends media to a session, over one connection after another. */
export type Producer = {
  readonly id: string;
  /** Session clock at media time 0. */
  readonly offsetMs: number;
  connection: Evictable | undefined;
  /** Wall time at which the connection was lost. */
  lostAtMs: number | undefined;
};

/** The producers of one session. */
export type Producers = {
  begin(connection: Evictable, offsetMs: number): { readonly producer: Producer; readonly token: string };
  /**
   * Gives a producer back to the connection that has its token, and evicts the one it had. The token before stays good
   * until `confirm`: the new one may have been lost on the way. @throws UndertoneError RESUME_FAILED
   */
  resume(token: string, connection: Evictable): { readonly producer: Producer; readonly token: string };
  /** The producer has the token of its last `begin` or `resume`. */
  confirm(producer: Producer): void;
  lose(producer: Producer, connection: Evictable, nowMs: number): boolean;
  remove(producer: Producer): void;
  all(): readonly Producer[];
};

type Known = Producer & { tokens: readonly Buffer[] };

/** Returns the producers of a session that has none. */
export function createProducers(): Producers {
  const known = new Map<string, Known>();
  let begun = 0;
  const newToken = (): Buffer => randomBytes(32);
  return {
    begin: (connection, offsetMs) => {
      const token = newToken();
      const producer: Known = { id: `p${++begun}`, offsetMs, connection, lostAtMs: undefined, tokens: [token] };
      known.set(producer.id, producer);
      return { producer, token: token.toString('base64url') };
    },
    resume: (text, connection) => {
      const given = Buffer.from(text, 'base64url');
      let found: Known | undefined;
      for (const producer of known.values())
        for (const token of producer.tokens)
          if (token.length === given.length && timingSafeEqual(token, given)) found = producer;
      if (!found) throw new UndertoneError('RESUME_FAILED', 'no producer of this session has this resume token');
      const token = newToken();
      found.tokens = [token, given];
      const before = found.connection;
      found.connection = connection;
      found.lostAtMs = undefined;
      before?.evict();
      return { producer: found, token: token.toString('base64url') };
    },
    confirm: (producer) => {
      const own = known.get(producer.id);
      if (own) own.tokens = own.tokens.slice(0, 1);
    },
    lose: (producer, connection, nowMs) => {
      if (producer.connection !== connection) return false;
      producer.connection = undefined;
      producer.lostAtMs = nowMs;
      return true;
    },
    remove: (producer) => void known.delete(producer.id),
    all: () => [...known.values()],
  };
}
