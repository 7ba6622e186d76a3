import type { Participant, Purpose, PurposeException, StreamDeclaration } from '../protocol/live.ts';
import { DEFAULT_BACKOFF, type BackoffSettings } from './backoff.ts';
import { toSocketConstructor, type SocketConstructor } from './socket.ts';

/** The two roles, each with a socket of its own. */
export type Role = 'produce' | 'consume';

/** A token, or what gets a fresh one for each attempt to connect. */
export type TokenSource = string | ((role: Role) => string | Promise<string>);

/** Runs something once after `afterMs`; returns what prevents it. */
export type Schedule = (run: () => void, afterMs: number) => () => void;

type WithoutNumber<T> = T extends unknown ? Omit<T, 'number'> : never;
/** A stream that will be sent; without `participant` it is that of `participant` of the options, if that was given. */
export type StreamOption = WithoutNumber<StreamDeclaration>;

/** Where the server is, and how to get there. */
export type EndpointOptions = {
  /** Begins with `ws:` or `wss:`; `/v1/stream` and `/v1/feed` are put behind its path. */
  readonly url: string;
  /** Travels as a subprotocol, never in the URL. A function is called again for each attempt. */
  readonly token?: TokenSource;
  /** Without it the server makes a session, or the token names it. */
  readonly session?: string;
  /** Needed in Node 20, which has none: that of `ws`. */
  readonly WebSocket?: SocketConstructor;
  /** Milliseconds on any clock that never goes back; `performance.now` unless given. */
  readonly now?: () => number;
  readonly schedule?: Schedule;
  /** Numbers in [0, 1), `Math.random` unless given. */
  readonly random?: () => number;
  readonly backoff?: BackoffSettings;
  /** An attempt is given up when no `welcome` has come for so long; 10 s unless given. */
  readonly welcomeWithinMs?: number;
  /** Closed for good, as `UNREACHABLE` or as the server said, when there was no connection for so long; 10 min unless given. */
  readonly giveUpMs?: number;
};

/** What a producer is and sends. */
export type ProduceOptions = {
  readonly streams: readonly StreamOption[];
  /** The one person present here; or `participants`, when there are several, each stream naming its own. */
  readonly participant?: Participant;
  readonly participants?: readonly Participant[];
  readonly purpose?: Purpose;
  readonly exception?: PurposeException;
  /** Name and version of the program, for the operator's eyes. */
  readonly client?: string;
  /** The most media that is kept to be sent again; 8 MiB unless given. */
  readonly maxRingBytes?: number;
  /** Pictures are dropped when so much waits in the socket, landmarks at twice as much; 256 KiB unless given. */
  readonly highWaterBytes?: number;
};

/** What a consumer wants. */
export type ConsumeOptions = {
  /** The last `seq` that is already known; without it, from the beginning of what the server keeps. */
  readonly after?: number;
  /** The most insights that wait for a slow `for await`; 1,000 unless given. */
  readonly maxQueued?: number;
};

/** The options that a connection needs, complete. */
export type Endpoint = {
  readonly url: string;
  readonly role: Role;
  readonly token: TokenSource | undefined;
  readonly WebSocket: SocketConstructor;
  readonly now: () => number;
  readonly schedule: Schedule;
  readonly random: () => number;
  readonly backoff: BackoffSettings;
  readonly welcomeWithinMs: number;
  readonly giveUpMs: number;
};

const PATHS: Readonly<Record<Role, string>> = { produce: '/v1/stream', consume: '/v1/feed' };
/** What an HTTP token may consist of (RFC 9110), as subprotocols are such. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/**
 * Returns the complete options of one role.
 * @throws TypeError or RangeError when one of them breaks its rule.
 */
export function toEndpoint(options: EndpointOptions, role: Role): Endpoint {
  const { token, backoff = DEFAULT_BACKOFF, welcomeWithinMs = 10_000, giveUpMs = 600_000 } = options;
  if (typeof token === 'string' && !isToken(token)) throw new RangeError('token must hold no blanks or separators');
  checkPositive('backoff.baseMs', backoff.baseMs);
  checkPositive('backoff.maxMs', backoff.maxMs);
  checkPositive('welcomeWithinMs', welcomeWithinMs);
  checkPositive('giveUpMs', giveUpMs);
  return {
    url: toUrl(options.url, PATHS[role]),
    role,
    token,
    WebSocket: toSocketConstructor(options.WebSocket),
    now: options.now ?? (() => performance.now()),
    schedule: options.schedule ?? scheduleTimeout,
    random: options.random ?? Math.random,
    backoff,
    welcomeWithinMs,
    giveUpMs,
  };
}

/** Returns whether a token can be a part of a subprotocol. */
export function isToken(token: string): boolean {
  return TOKEN.test(token);
}

/** @throws RangeError when `value` is not a number above 0. */
export function checkPositive(name: string, value: number): void {
  if (!(value > 0)) throw new RangeError(`${name} must be above 0, got ${value}`);
}

function toUrl(given: string, path: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url || !/^wss?:$/.test(url.protocol)) throw new RangeError('url must begin with ws: or wss:');
  if (url.search || url.hash) throw new RangeError('url must have no query and no fragment');
  return `${url.origin === 'null' ? `${url.protocol}//${url.host}` : url.origin}${url.pathname.replace(/\/$/, '')}${path}`;
}

const scheduleTimeout: Schedule = (run, afterMs) => {
  const timer = setTimeout(run, afterMs);
  return () => clearTimeout(timer);
};
