import { ERROR_CODES } from '../../../src/errors.ts';
import { createRandom } from '../../../src/model/random.ts';
import { connectPeer, type LivePeer } from '../livePeer.ts';
import { consumerInput, helloOf, type PeerState, producerInput } from './inputs.ts';

/** Of messages that are said in turn a connection has fewer, so that some live on. */
const PER_CONNECTION = { atOnce: 100, inTurn: 25 } as const;
/** Pings that nobody mutates have ids from here on. */
const FIRST_PING = 987_654;
/** What ws closes with of itself: text that is not UTF-8. */
const NOT_UTF8 = 1007;

/**
 * Says `messages` messages, most of them mutated, to a server over real sockets, and returns how
 * connections ended: `alive`, or the close code. `isInTurn`: each message waits until the one before was heard, so that the same
 * seed gives the same ends; else what overtakes what is for the machine to say. Throws at an answer that is not documented.
 */
export async function fuzzSockets(
  url: string,
  {
    messages,
    seed,
    isInTurn = false,
  }: { readonly messages: number; readonly seed: number; readonly isInTurn?: boolean },
): Promise<Readonly<Record<string, number>>> {
  const random = createRandom(seed);
  const ends: Record<string, number> = {};
  const perConnection = PER_CONNECTION[isInTurn ? 'inTurn' : 'atOnce'];
  for (let said = 0; said < messages; said += perConnection) {
    const isProducer = random() < 0.85;
    const state: PeerState = {
      session: `wire-${isInTurn ? 'in-turn-' : ''}${Math.floor(said / 1_000)}`,
      resume: undefined,
      mediaMs: 0,
      sequences: new Map(),
    };
    const peer = await connectPeer(url, { path: isProducer ? '/v1/stream' : '/v1/feed' });
    for (let n = 0; n < perConnection; n++) {
      const isHello = isProducer && n === 0;
      const { data, isBinary } = isHello
        ? helloOf(state, random)
        : (isProducer ? producerInput : consumerInput)(state, random);
      peer.socket.send(data, { binary: isBinary });
      if (isInTurn && !(await isHeard(peer, FIRST_PING + n))) break;
    }
    const end = (await isHeard(peer, FIRST_PING - 1)) ? 'alive' : String((await peer.closed).code);
    ends[end] = (ends[end] ?? 0) + 1;
    peer.cut();
  }
  return ends;
}

/** Whether a ping is answered, and so everything before it was heard; else the connection is closed. */
async function isHeard(peer: LivePeer, id: number): Promise<boolean> {
  peer.say({ type: 'ping', id });
  for (;;) {
    const pong = await peer.next('pong').catch(() => undefined);
    if (pong === undefined || pong.id === id) return pong !== undefined;
  }
}

/** The ends that are documented. */
export const KNOWN_ENDS: ReadonlySet<string> = new Set(
  [
    'alive',
    1000,
    NOT_UTF8,
    ...Object.entries(ERROR_CODES).flatMap(([code, { closeCode }]) => (code === 'INTERNAL' ? [] : [closeCode])),
  ].map(String),
);
