import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { createLoad } from './live/loadProcess.ts';
import { type Cost, startServerProcess } from './live/serverProcess.ts';

/** How many conversations are held at once, and for how long. */
export type Soak = { readonly conversations: number; readonly minutes: number };

const MINUTE_MS = 60_000;

/**
 * Prints, minute after minute, what a server holds for conversations that go on in real time, garbage collected; at the end
 * what the third and the last quarter of the time held. What is kept of a conversation is full after 11 minutes (1,000
 * insights), so 30 minutes are the least that say something.
 */
export async function soakLive({ conversations, minutes }: Soak): Promise<void> {
  const server = await startServerProcess();
  const load = createLoad(server.url);
  console.log(`soak: ${conversations} conversations, ${minutes} minutes`);
  const costs: Cost[] = [];
  try {
    await load.hold(conversations);
    const startedMs = performance.now();
    for (let minute = 1; minute <= minutes; minute++) {
      await new Promise((resolve) => setTimeout(resolve, startedMs + minute * MINUTE_MS - performance.now()));
      const cost = await server.cost('collect');
      console.log(`  minute ${minute}: ${inWords(cost, costs.at(-1))}`);
      costs.push(cost);
    }
    const { answers, strangers } = await load.report();
    console.log(`  ${answers.length} answers, ${strangers} to no line`);
  } finally {
    await load.leave();
    await server.stop();
  }
  const [third, last] = [meanHeld(costs, minutes / 2, (minutes * 3) / 4), meanHeld(costs, (minutes * 3) / 4, minutes)];
  console.log(
    `  held: third quarter ${toMegabytes(third)} MB, last quarter ${toMegabytes(last)} MB, ${(last / third).toFixed(3)} times`,
  );
}

function inWords({ heldBytes, heapBytes, rssBytes, cpuMs }: Cost, before: Cost | undefined): string {
  const cpu = before ? `, CPU ${((100 * (cpuMs - before.cpuMs)) / MINUTE_MS).toFixed(0)} %` : '';
  return `held ${toMegabytes(heldBytes)} MB (heap ${toMegabytes(heapBytes)} MB), resident ${toMegabytes(rssBytes)} MB${cpu}`;
}

function meanHeld(costs: readonly Cost[], from: number, to: number): number {
  const some = costs.slice(Math.floor(from), Math.floor(to));
  return some.reduce((sum, { heldBytes }) => sum + heldBytes, 0) / some.length;
}

function toMegabytes(bytes: number): string {
  return (bytes / 1_048_576).toFixed(1);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({
    options: {
      conversations: { type: 'string', default: '20' },
      minutes: { type: 'string', default: '30' },
    },
  });
  await soakLive({ conversations: Number(values.conversations), minutes: Number(values.minutes) });
}
