import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { callMoments } from '../test/support/liveCall.ts';
import { connectPeer, type LivePeer, producerWelcome } from '../test/support/livePeer.ts';
import { quantile } from './command.ts';
import { createLoad, type Load } from './live/loadProcess.ts';
import { startServerProcess } from './live/serverProcess.ts';

/** Cameras of one more session; at 25 pictures a second each, many times what one core can look at. */
const CAMERAS = 4;
const PICTURE_MS = 40;
const SETTLE_MS = 8_000;

/**
 * Prints how long conversations wait for their first answers, without pictures and while far more pictures come than can be
 * looked at; the server has one core for both. `npx tsx bench/visionLoad.ts --conversations 5 --seconds 60`
 */
async function benchVisionLoad(conversations: number, seconds: number): Promise<void> {
  const server = await startServerProcess([], ['--vision', 'on']);
  const load = createLoad(server.url);
  let cameras: Cameras | undefined;
  try {
    await load.hold(conversations);
    const without = await measure(load, seconds);
    cameras = await showCameras(server.url);
    const overloaded = await measure(load, seconds);
    const modalities = await cameras.leave();
    for (const [name, values] of [
      ['without pictures', without],
      [`${CAMERAS} cameras at ${1_000 / PICTURE_MS} pictures a second`, overloaded],
    ] as const)
      console.log(
        `${name}: first answer after endpointing p50 ${quantile(values, 0.5).toFixed(0)}, p95 ${quantile(values, 0.95).toFixed(0)} ms (${values.length} answers)`,
      );
    console.log(`of the cameras was said: ${modalities}`);
  } finally {
    await load.leave();
    await server.stop();
  }
}

async function measure(load: Load, seconds: number): Promise<number[]> {
  await wait(SETTLE_MS);
  load.mark();
  await wait(seconds * 1_000);
  return (await load.report()).answers.map(({ afterEndpointMs }) => afterEndpointMs);
}

type Cameras = { leave(): Promise<string> };

/** Shows the bundled call's Ada to as many cameras; `leave` returns which reasons were told of them, and how often. */
async function showCameras(url: string): Promise<Cameras> {
  const pictures = (await callMoments('ada', { endMs: 5_000 })).flatMap(({ jpeg }) => jpeg ?? []);
  const peer: LivePeer = await connectPeer(url);
  const participants = Array.from({ length: CAMERAS }, (_, n) => ({ id: `p${n}`, name: `Guest ${n}` }));
  const streams = participants.map(({ id }, number) => ({ streamId: id, number, participant: id, kind: 'video' }));
  peer.say({ type: 'hello', v: 1, session: 'cameras', participants, streams });
  await producerWelcome(peer);
  const startMs = performance.now();
  let shown = 0;
  const timer = setInterval(() => {
    const atMs = performance.now() - startMs;
    const payload = pictures[shown % pictures.length];
    if (payload)
      for (let number = 0; number < CAMERAS; number++) peer.frame({ number, sequence: shown, mediaMs: atMs, payload });
    shown++;
  }, PICTURE_MS);
  return {
    leave: async () => {
      clearInterval(timer);
      peer.say({ type: 'bye' });
      const reader = await connectPeer(url, { path: '/v1/feed' });
      reader.say({ type: 'hello', v: 1, session: 'cameras' });
      await reader.closed;
      const told = reader.insights.flatMap((one) => (one.type === 'modality' ? [one.reason ?? one.state] : []));
      return [...new Set(told)].map((one) => `${one} ${told.filter((other) => other === one).length}`).join(', ');
    },
  };
}

const { values } = parseArgs({
  options: { conversations: { type: 'string', default: '5' }, seconds: { type: 'string', default: '60' } },
});
await benchVisionLoad(Number(values.conversations), Number(values.seconds));
