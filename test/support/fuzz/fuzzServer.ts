import { setTimeout as wait } from 'node:timers/promises';
import { createOpusDecoder } from '../../../adapters/media/opus/createOpusDecoder.ts';
import { DEFAULT_SERVER_CONFIG, type Scope, type ServerConfig } from '../../../src/config.ts';
import { createRandom, type Random } from '../../../src/model/random.ts';
import { ERROR_CODES } from '../../../src/errors.ts';
import { type Connections, createConnections } from '../../../src/server/connections.ts';
import { createMetrics } from '../../../src/server/metrics.ts';
import { decidePolicy } from '../../../src/server/policy.ts';
import { createSessions, type Sessions } from '../../../src/server/sessions.ts';
import { fakeAnalysis } from '../liveServer.ts';
import { createDeafSocket, type DeafSocket } from './deafSocket.ts';
import { pick } from './mutate.ts';
import { consumerInput, helloOf, type PeerState, producerInput } from './inputs.ts';

/** What became of the messages of a run. */
export type FuzzResult = {
  readonly messages: number;
  readonly connections: number;
  /** Errors by code. */
  readonly answers: Readonly<Record<string, number>>;
  /** Closed connections by code; those that the peer cut are not in it. */
  readonly closes: Readonly<Record<string, number>>;
  /** What must not be: undocumented answers, defects, pings that nobody answered. */
  readonly problems: readonly string[];
  readonly heapBytes: readonly number[];
};

/** A server without sockets, by a clock of its own. */
type Bench = { readonly connections: Connections; readonly sessions: Sessions; nowMs: number };

/** A peer that is talking to the server. */
type Talker = {
  readonly peer: DeafSocket;
  readonly state: PeerState;
  readonly isProducer: boolean;
  said: number;
  left: number;
};
type Tally = {
  readonly answers: Record<string, number>;
  readonly closes: Record<string, number>;
  readonly problems: string[];
};

const PRINCIPAL = { keyId: 'fuzz', scopes: new Set<Scope>(['produce', 'consume']) };
const KNOWN_CLOSES = new Set([1000, ...Object.values(ERROR_CODES).map(({ closeCode }) => closeCode)]);
const MAX_PER_CONNECTION = 300;
/** So many talk at once, and so many come to one session. */
const TALKERS = 5;
const PER_SESSION = 12;
const HEAP_SAMPLES = 10;

/**
 * Says `messages` messages, most of them mutated, to the parsers and sessions of a server, over connections without sockets,
 * and says what became of them. The same seed gives the same messages, but for tokens and epochs. `measureHeap` is called ten times.
 */
export async function fuzzServer(
  { messages, seed }: { readonly messages: number; readonly seed: number },
  measureHeap: () => number = () => 0,
): Promise<FuzzResult> {
  const random = createRandom(seed);
  const bench = createBench();
  const tally: Tally = { answers: {}, closes: {}, problems: [] };
  const resumes = new Map<string, PeerState['resume']>();
  const heapBytes: number[] = [];
  const talkers: Talker[] = [];
  let connections = 0;
  const come = (): Talker => {
    const session = `talk-${Math.floor(connections++ / PER_SESSION)}`;
    return connect(bench, { session, resume: random() < 0.5 ? resumes.get(session) : undefined }, random);
  };
  for (let said = 1; said <= messages; said++) {
    while (talkers.length < TALKERS) talkers.push(come());
    const talker = pick(talkers, random);
    say(talker, random);
    pass(bench, random);
    if (said % 8 === 0 || talker.said === 1) await settle();
    listen(talker, tally);
    if (talker.state.resume) resumes.set(talker.state.session, talker.state.resume);
    if (talker.left <= 0 || !talker.peer.isOpen) await finish(bench, talkers.splice(talkers.indexOf(talker), 1), tally);
    if (said % Math.ceil(messages / HEAP_SAMPLES) === 0) {
      resumes.clear();
      heapBytes.push(measureHeap());
    }
  }
  await finish(bench, talkers, tally);
  await bench.sessions.endAll('shutdown');
  return { messages, connections, ...tally, heapBytes };
}

function createBench(): Bench {
  const bench = { nowMs: 0 };
  const now = (): number => bench.nowMs;
  const { policy }: ServerConfig = DEFAULT_SERVER_CONFIG;
  const limits = { ...DEFAULT_SERVER_CONFIG.limits, maxAheadMs: 15_000 };
  const sessions = createSessions(limits, {
    analyze: fakeAnalysis(),
    createOpus: createOpusDecoder,
    now,
    decideFor: () => (participant) => decidePolicy({ purpose: undefined, exception: undefined, participant, policy }),
  });
  const metrics = createMetrics({
    sessions: () => 0,
    connections: () => 0,
    waiting: () => 0,
    loadStep: () => 0,
    delayMs: () => 0,
  });
  const connections = createConnections({ now, sessions, metrics, policy, vision: [], limits });
  return Object.assign(bench, { connections, sessions });
}

function connect(bench: Bench, { session, resume }: Pick<PeerState, 'session' | 'resume'>, random: Random): Talker {
  const isProducer = random() < 0.85;
  const peer = createDeafSocket();
  bench.connections.serve(peer.socket, isProducer ? '/v1/stream' : '/v1/feed', PRINCIPAL);
  const left = 1 + Math.floor(random() * MAX_PER_CONNECTION);
  return { peer, state: { session, resume, mediaMs: 0, sequences: new Map() }, isProducer, said: 0, left };
}

function say(talker: Talker, random: Random): void {
  const { peer, state, isProducer } = talker;
  const isHello = isProducer && (talker.said === 0 ? random() < 0.95 : random() < 0.005);
  const input = isHello
    ? helloOf(state, random)
    : isProducer
      ? producerInput(state, random)
      : consumerInput(state, random);
  peer.say(input.data, input.isBinary);
  talker.said++;
  talker.left--;
}

/** Time goes on, most often as fast as media do, now and then by minutes. */
function pass(bench: Bench, random: Random): void {
  const chance = random();
  bench.nowMs += chance < 0.999 ? random() * 10 : random() * 200_000;
  if (chance < 0.95) return;
  bench.sessions.tick(bench.nowMs);
  bench.connections.tick(bench.nowMs);
}

/** Asks those who are done whether they are alive, and lets them go. */
async function finish(bench: Bench, talkers: readonly Talker[], tally: Tally): Promise<void> {
  for (const talker of talkers) {
    const { peer } = talker;
    await askWhetherAlive(bench, talker, tally);
    listen(talker, tally);
    if (peer.closeCode !== undefined) countClose(peer.closeCode, tally);
    peer.cut();
  }
}

/** A connection that is open answers a ping, however long it takes to open its streams. */
async function askWhetherAlive(bench: Bench, { peer }: Talker, tally: Tally): Promise<void> {
  peer.say(Buffer.from(JSON.stringify({ type: 'ping', id: 987_654 })), false);
  for (let tries = 0; tries < 1_000 && peer.isOpen; tries++) {
    // Decoders are made in threads: past some hundred turns of the event loop only time helps.
    await (tries < 500 ? settle() : wait(10));
    const told = peer.take();
    count(told, tally);
    if (told.some((line) => line.includes('987654'))) return;
  }
  if (peer.isOpen) tally.problems.push(`a ping was not answered at ${bench.nowMs}`);
}

function listen({ peer, state }: Talker, tally: Tally): void {
  const told = peer.take();
  for (const line of told)
    if (line.includes('"resumeToken"')) {
      const { resumeToken: token, epoch } = JSON.parse(line) as { resumeToken: string; epoch: number };
      state.resume = { token, epoch };
    }
  count(told, tally);
}

function count(told: readonly string[], { answers, problems }: Tally): void {
  for (const line of told) {
    if (!line.startsWith('{"type":"error"')) continue;
    const { code } = JSON.parse(line) as { code: string };
    answers[code] = (answers[code] ?? 0) + 1;
    if (!(code in ERROR_CODES) || code === 'INTERNAL') problems.push(line);
  }
}

function countClose(code: number, { closes, problems }: Tally): void {
  closes[code] = (closes[code] ?? 0) + 1;
  if (!KNOWN_CLOSES.has(code)) problems.push(`closed with ${code}`);
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
