import { ERROR_CODES } from '../../../src/errors.ts';
import { createRandom } from '../../../src/model/random.ts';
import { connectPeer } from '../livePeer.ts';
import { consumerInput, helloOf, type PeerState, producerInput } from './inputs.ts';

const PER_CONNECTION = 100;
/** What ws closes with of itself: text that is not UTF-8. */
const NOT_UTF8 = 1007;

/**
 * Says `messages` messages, most of them mutated, to a server over real sockets, a hundred a connection, and returns how
 * connections ended: `alive`, or the close code. Throws at an answer that is not documented.
 */
export async function fuzzSockets(
  url: string,
  { messages, seed }: { readonly messages: number; readonly seed: number },
): Promise<Readonly<Record<string, number>>> {
  const random = createRandom(seed);
  const ends: Record<string, number> = {};
  for (let said = 0; said < messages; said += PER_CONNECTION) {
    const isProducer = random() < 0.85;
    const state: PeerState = {
      session: `wire-${Math.floor(said / 1_000)}`,
      resume: undefined,
      mediaMs: 0,
      sequences: new Map(),
    };
    const peer = await connectPeer(url, { path: isProducer ? '/v1/stream' : '/v1/feed' });
    for (let n = 0; n < PER_CONNECTION; n++) {
      const isHello = isProducer && n === 0;
      const { data, isBinary } = isHello
        ? helloOf(state, random)
        : (isProducer ? producerInput : consumerInput)(state, random);
      peer.socket.send(data, { binary: isBinary });
    }
    peer.say({ type: 'ping', id: 987_654 });
    const end = await Promise.race([
      peer.next('pong').then(
        () => 'alive',
        () => 'closed',
      ),
      peer.closed.then(({ code }) => String(code)),
    ]);
    const closed = end === 'closed' ? String((await peer.closed).code) : end;
    ends[closed] = (ends[closed] ?? 0) + 1;
    peer.cut();
  }
  return ends;
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
