import type { ServerLimits } from '../config.ts';
import { UndertoneError } from '../errors.ts';
import { networkOf } from './network.ts';
import { createTokenBucket, type TokenBucket } from './rateLimit.ts';

/** Counts connections and attempts, of all and by address; an IPv6 address counts as its /64 network. */
export type Admission = {
  /**
   * Counts a socket of which nothing is known yet but its address; twice as many as connections may be open, since some make
   * their handshake or a request. Call what it returns when it is gone.
   * @throws UndertoneError RATE_LIMITED, and then nothing has to be given back
   */
  readonly accept: (address: string) => () => void;
  /**
   * Counts one request that opens no connection.
   * @throws UndertoneError RATE_LIMITED
   */
  readonly attempt: (address: string) => void;
  /**
   * Counts one attempt and one connection; call what it returns when the connection is gone, once or more often.
   * @throws UndertoneError RATE_LIMITED, and then nothing has to be given back
   */
  readonly admit: (address: string) => () => void;
  /** Connections that are open. */
  readonly connections: () => number;
  /** Addresses that something is remembered of; at most `maxConnections` + {@link MAX_REMEMBERED}. */
  readonly remembered: () => number;
};

type AdmissionLimits = Pick<ServerLimits, 'maxConnections' | 'maxConnectionsPerIp' | 'maxAttemptsPerIpPerMinute'>;

/**
 * Of so many addresses at most, and of the latest half as many for certain, attempts are remembered. Others begin anew,
 * which a minute would do as well.
 */
export const MAX_REMEMBERED = 10_000;
const SECONDS_PER_MINUTE = 60;

/**
 * Creates the doorkeeper of one server. `now` is in milliseconds. An address may use the attempts of a minute at once and
 * then has as many a minute, evenly.
 */
export function createAdmission(limits: AdmissionLimits, { now }: { readonly now: () => number }): Admission {
  const sockets = createOpenCount({ most: 2 * limits.maxConnections, mostOfOne: 2 * limits.maxConnectionsPerIp });
  const connections = createOpenCount({ most: limits.maxConnections, mostOfOne: limits.maxConnectionsPerIp });
  const attempts = createAttempts(limits.maxAttemptsPerIpPerMinute, now);
  const attempt = (network: string): void => {
    if (!attempts.take(network)) throw refusal('too many attempts from this address');
  };
  return {
    accept: (address) => sockets.enter(networkOf(address)),
    attempt: (address) => attempt(networkOf(address)),
    admit: (address) => {
      const network = networkOf(address);
      attempt(network);
      return connections.enter(network);
    },
    connections: connections.total,
    remembered: () => new Set([...connections.networks(), ...attempts.networks()]).size,
  };
}

/** Counts what is open, of all and by network. */
type OpenCount = {
  /** Counts one more; call what it returns when it is gone, once or more often. @throws UndertoneError RATE_LIMITED */
  enter(network: string): () => void;
  readonly total: () => number;
  networks(): Iterable<string>;
};

function createOpenCount({ most, mostOfOne }: { readonly most: number; readonly mostOfOne: number }): OpenCount {
  const open = new Map<string, number>();
  let total = 0;
  const leave = (network: string): void => {
    total -= 1;
    const left = (open.get(network) ?? 1) - 1;
    if (left > 0) open.set(network, left);
    else open.delete(network);
  };
  return {
    enter: (network) => {
      const mine = open.get(network) ?? 0;
      if (total >= most) throw refusal('the server has as many connections as it may');
      if (mine >= mostOfOne) throw refusal('too many connections from this address');
      total += 1;
      open.set(network, mine + 1);
      return once(() => leave(network));
    },
    total: () => total,
    networks: () => open.keys(),
  };
}

/**
 * A bucket per network in two generations: when the younger is full it becomes the elder, and what was in the elder is
 * forgotten, all at once. Forgetting one by one, oldest first, costs a `Map` a search each time.
 */
function createAttempts(
  perMinute: number,
  now: () => number,
): { take: (network: string) => boolean; networks: () => readonly string[] } {
  const settings = { perSecond: perMinute / SECONDS_PER_MINUTE, burst: perMinute };
  let younger = new Map<string, TokenBucket>();
  let elder: typeof younger = new Map();
  return {
    take: (network) => {
      const bucket = younger.get(network) ?? elder.get(network) ?? createTokenBucket(settings, { now });
      if (younger.size >= MAX_REMEMBERED / 2 && !younger.has(network))
        [elder, younger] = [younger, new Map<string, TokenBucket>()];
      younger.set(network, bucket);
      return bucket.take();
    },
    networks: () => [...younger.keys(), ...elder.keys()],
  };
}

function refusal(rule: string): UndertoneError {
  return new UndertoneError('RATE_LIMITED', rule);
}

function once(action: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    action();
  };
}
