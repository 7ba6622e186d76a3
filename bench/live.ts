import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { createLoad, type Load, type LoadReport } from './live/loadProcess.ts';
import { type Cost, type ServerProcess, startServerProcess } from './live/serverProcess.ts';
import { quantile } from './command.ts';

/** What is asked of the benchmark of live conversations. */
export type LiveBench = {
  /** So many conversations at once, one number after the other, rising. */
  readonly counts: readonly number[];
  /** How long each number is measured, after as long as it takes to be under way. */
  readonly seconds: number;
  /** Options of node for the server's process. */
  readonly nodeOptions?: readonly string[];
  /** Whether the server does less when there is more to do than it can; else everything is done, late. */
  readonly isShedding?: boolean;
};

/** Answers come at most so long after endpointing, for 95 of 100. */
const GOAL_MS = 250;
/** A server whose answers take so much longer has more to do than it can. */
const BEHIND_MS = 1_000;
/** A load that sends so late, now and then, is part of what is measured. */
const LATE_MS = 20;
/** Conversations are under way, and what is compiled is compiled, after so long. */
const SETTLE_MS = 10_000;

/** Prints what live conversations of two people cost a server of one core, and how fast it answers. */
export async function benchLive({ counts, seconds, nodeOptions, isShedding }: LiveBench): Promise<void> {
  const server = await startServerProcess(nodeOptions, [], isShedding);
  const load = createLoad(server.url);
  console.log(
    'live: two participants each, 20 ms frames of sound, captions, faces and bodies at 10 Hz; server on one core',
  );
  try {
    await run(server, load, { counts, seconds });
  } finally {
    await load.leave();
    await server.stop();
  }
}

async function run(server: ServerProcess, load: Load, { counts, seconds }: LiveBench): Promise<void> {
  let held = 0;
  let carried = 0;
  let first: { readonly count: number; readonly cost: Cost } | undefined;
  for (const count of counts) {
    await load.hold(count - held);
    held = count;
    await wait(SETTLE_MS);
    load.mark();
    const before = await server.cost('reset');
    const startedMs = performance.now();
    await wait(seconds * 1_000);
    const after = await server.cost('cost');
    const wallMs = performance.now() - startedMs;
    const report = await load.report();
    const collected = await server.cost('collect');
    const share = (after.cpuMs - before.cpuMs) / wallMs;
    print(count, share, report, after);
    await printLoad(server, report, wallMs);
    if (first) printMemory(count - first.count, first.cost, collected);
    first ??= { count, cost: collected };
    if (
      quantile(
        report.answers.map(({ afterEndpointMs }) => afterEndpointMs),
        0.95,
      ) <= GOAL_MS
    )
      carried = count;
  }
  console.log(
    `  most of these that one core carried with p95 <= ${GOAL_MS} ms after endpointing: ${carried} (goal: 150)`,
  );
}

function print(count: number, share: number, { answers, strangers }: LoadReport, { delayMs }: Cost): void {
  const both = (values: readonly number[]): string =>
    `p50 ${quantile(values, 0.5).toFixed(0)}, p95 ${quantile(values, 0.95).toFixed(0)} ms`;
  const afterSpeech = answers.map(({ afterSpeechMs }) => afterSpeechMs);
  const afterEndpoint = answers.map(({ afterEndpointMs }) => afterEndpointMs);
  console.log(
    `  ${count} conversations: after speech ${both(afterSpeech)}; after endpointing ${both(afterEndpoint)} (${answers.length} answers, ${strangers} to no line)`,
  );
  const each = `${((1_000 * share) / count).toFixed(2)} ms per second of conversation`;
  const isBehind = !(quantile(afterEndpoint, 0.95) <= BEHIND_MS);
  const meaning = isBehind
    ? `${each} is what it got, not what it needs: it did not keep up`
    : `${each}: a core would be full with ${Math.floor(count / share)}`;
  console.log(
    `    CPU ${(100 * share).toFixed(1)} % of a core, ${meaning}; event loop late p50 ${delayMs.p50.toFixed(0)}, p95 ${delayMs.p95.toFixed(0)}, max ${delayMs.max.toFixed(0)} ms`,
  );
}

/** What the load is to say of itself: it must not be what is measured. And what the server does without. */
async function printLoad(server: ServerProcess, { lateMs, cpuMs, refused }: LoadReport, wallMs: number): Promise<void> {
  const metrics = await (await fetch(`${server.url.replace(/^ws/, 'http')}/metrics`)).text();
  const [, step = '?'] = /^undertone_load_step (\d)$/m.exec(metrics) ?? [];
  const share = `load: ${((100 * cpuMs) / wallMs).toFixed(0)} % of a core, ${lateMs.toFixed(0)} ms late (99 %)`;
  const isLimit = lateMs > LATE_MS ? '; it could not keep up, and latencies hold that too' : '';
  const shed = step === '0' && refused === 0 ? '' : `; server at load step ${step}, ${refused} conversations refused`;
  console.log(`    ${share}${isLimit}${shed}`);
}

function printMemory(more: number, first: Cost, now: Cost): void {
  const each = (bytes: number): string => (bytes / more / 1_048_576).toFixed(2);
  console.log(
    `    memory of each, beside those of the first number: held ${each(now.heldBytes - first.heldBytes)} MB (of it in buffers ${each(now.bufferBytes - first.bufferBytes)}), resident ${each(now.rssBytes - first.rssBytes)} MB; process ${(now.rssBytes / 1_048_576).toFixed(0)} MB`,
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({
    options: {
      counts: { type: 'string', default: '1,50,100,150,200' },
      seconds: { type: 'string', default: '30' },
      profile: { type: 'string' },
      shed: { type: 'boolean', default: false },
    },
  });
  await benchLive({
    counts: values.counts.split(',').map(Number),
    seconds: Number(values.seconds),
    isShedding: values.shed,
    ...(values.profile !== undefined && { nodeOptions: ['--cpu-prof', `--cpu-prof-dir=${values.profile}`] }),
  });
}
