import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import {
  compressedBomb,
  deafConsumer,
  fastProducer,
  hugeMessage,
  manyFragments,
  pingFlood,
  SLOW_BEGINNINGS,
  slowLoris,
  withoutHello,
} from '../test/support/hostile/attacks.ts';
import { quantile } from './command.ts';
import { createLoad, type Load } from './live/loadProcess.ts';
import { type ServerProcess, startServerProcess } from './live/serverProcess.ts';

/** Conversations that go on as they should while the server is attacked, and how long each attack is watched. */
const SIZES = {
  full: { conversations: 4, seconds: 40, sockets: 10_000, slow: 500 },
  quick: { conversations: 2, seconds: 12, sockets: 1_000, slow: 50 },
};
type Size = (typeof SIZES)['full'];
/** Conversations are under way, and what is compiled is compiled, after so long; so is what an attack left over. */
const SETTLE_MS = 10_000;
/** Answers may take so many times as long as in calm. */
const GOAL = 2;

/** An attack that goes on until it is told to stop; returns what became of it, to be printed. */
type Attack = (url: string, size: Size, isOver: () => boolean) => Promise<string>;

const ATTACKS: Readonly<Record<string, Attack>> = {
  'handshakes that drip on': async (url, { slow }, isOver) => {
    let cut = 0;
    do {
      await Promise.all(SLOW_BEGINNINGS.map((beginning) => slowLoris(url, slow, beginning)));
      cut += SLOW_BEGINNINGS.length * slow;
    } while (!isOver());
    return `${cut} connections, all cut`;
  },
  'connections without hello': async (url, { sockets }) => {
    const outcomes = await withoutHello(url, sockets);
    return `${sockets} connections: ${JSON.stringify(outcomes)}`;
  },
  'messages of a gigabyte': async (url, _, isOver) => {
    const read: number[] = [];
    do read.push((await hugeMessage(url)).sentBytes);
    while (!isOver() && read.length < 500);
    return `${read.length} messages, cut after at most ${(Math.max(...read) / 1e6).toFixed(1)} MB`;
  },
  'bombs, fragments, pings': async (url, _, isOver) => {
    const codes: Record<string, number> = {};
    const count = (code: number | undefined): void => {
      const end = code === undefined ? 'cut' : String(code);
      codes[end] = (codes[end] ?? 0) + 1;
    };
    do {
      count((await compressedBomb(url)).closeCode);
      count(await manyFragments(url, 17_000));
      count(await pingFlood(url, 20_000));
    } while (!isOver());
    return `closed with ${JSON.stringify(codes)}`;
  },
  'producers at 100 times life, consumers that do not read': async (url, _, isOver) => {
    const names = ['fast-1', 'fast-2', 'fast-3'];
    const producers = await Promise.all(names.map((name) => fastProducer(url, name)));
    const deaf = await Promise.all(names.flatMap((name) => [1, 2, 3, 4].map(() => deafConsumer(url, name))));
    let seconds = 0;
    for (; !isOver(); seconds++) {
      for (const { peer, send } of producers) if (peer.socket.bufferedAmount < 20e6) send(100);
      await wait(1_000);
    }
    const used = producers.map(({ peer }) => peer.said.findLast(({ type }) => type === 'ack'));
    for (const { peer } of producers) peer.cut();
    for (const { socket } of deaf) socket.destroy();
    const usedMs = used.map((ack) => (ack?.type === 'ack' ? Math.round(ack.streams[0]?.mediaMs ?? 0) : NaN));
    return `${seconds} s: of three streams ${usedMs.join(', ')} ms were used`;
  },
};

/** Prints how fast conversations are answered while the server is attacked, and what it costs, against calm. */
export async function benchHostile(isQuick: boolean, more: Partial<Size> = {}): Promise<void> {
  const size = { ...(isQuick ? SIZES.quick : SIZES.full), ...more };
  const server = await startServerProcess();
  const load = createLoad(server.url);
  try {
    await load.hold(size.conversations);
    await wait(SETTLE_MS);
    console.log(`hostile: ${size.conversations} conversations in real time, server on one core`);
    const calmMs = await watch('calm', { server, load, size }, async () => '');
    for (const [name, attack] of Object.entries(ATTACKS)) {
      const p95Ms = await watch(name, { server, load, size }, (isOver) => attack(server.url, size, isOver));
      console.log(`    p95 is ${(p95Ms / calmMs).toFixed(2)} times that of calm (goal: at most ${GOAL})`);
      await wait(SETTLE_MS);
    }
  } finally {
    await load.leave();
    await server.stop();
  }
}

type Watched = { readonly server: ServerProcess; readonly load: Load; readonly size: Size };

/** Watches the conversations during an attack; prints and returns the p95 of their answers, in ms after speech. */
async function watch(
  name: string,
  { server, load, size }: Watched,
  attack: (isOver: () => boolean) => Promise<string>,
): Promise<number> {
  load.mark();
  const before = await server.cost('reset');
  const startedMs = performance.now();
  const isOver = (): boolean => performance.now() - startedMs >= size.seconds * 1_000;
  const [outcome] = await Promise.all([attack(isOver), wait(size.seconds * 1_000)]);
  const seconds = (performance.now() - startedMs) / 1_000;
  const { answers, lateMs } = await load.report();
  const { cpuMs, delayMs, rssBytes } = await server.cost('cost');
  const afterSpeech = answers.map(({ afterSpeechMs }) => afterSpeechMs);
  const [p50, p95] = [quantile(afterSpeech, 0.5), quantile(afterSpeech, 0.95)];
  console.log(`  ${name}${outcome && ` (${outcome})`}, ${seconds.toFixed(0)} s`);
  console.log(
    `    ${answers.length} answers after speech p50 ${p50.toFixed(0)}, p95 ${p95.toFixed(0)} ms; CPU ${((cpuMs - before.cpuMs) / seconds / 10).toFixed(0)} % of a core; event loop late p95 ${delayMs.p95.toFixed(0)}, max ${delayMs.max.toFixed(0)} ms; load late ${lateMs.toFixed(0)} ms; ${(rssBytes / 1e6).toFixed(0)} MB (${(before.rssBytes / 1e6).toFixed(0)} before)`,
  );
  return p95;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, conversations: { type: 'string' } },
  });
  const { quick, conversations } = values;
  await benchHostile(quick, conversations === undefined ? {} : { conversations: Number(conversations) });
}
