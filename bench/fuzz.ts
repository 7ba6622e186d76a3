import { createOpusDecoder } from '../adapters/media/opus/createOpusDecoder.ts';
import { fuzzServer } from '../test/support/fuzz/fuzzServer.ts';
import { fuzzSockets } from '../test/support/fuzz/fuzzSockets.ts';
import { heldBytes } from '../test/support/heldBytes.ts';
import { startTestServer } from '../test/support/liveServer.ts';

const SIZES = { full: { inProcess: 1_000_000, overSockets: 30_000 }, quick: { inProcess: 20_000, overSockets: 2_000 } };

/**
 * Says a million mutated messages and frames to the parsers and sessions of the live server, then some over sockets, and
 * prints how they were answered, what was wrong (nothing should be) and the heap after each tenth.
 */
export async function benchFuzz(isQuick: boolean): Promise<void> {
  const { inProcess, overSockets } = isQuick ? SIZES.quick : SIZES.full;
  const started = process.cpuUsage();
  const { messages, connections, answers, closes, problems, heapBytes } = await fuzzServer(
    { messages: inProcess, seed: 1 },
    heldBytes,
  );
  const { user, system } = process.cpuUsage(started);
  console.log(
    `fuzz           ${messages.toLocaleString('en-US')} messages over ${connections.toLocaleString('en-US')} connections, ${((user + system) / 1e6).toFixed(0)} CPU s, ${problems.length} problems`,
  );
  for (const problem of problems.slice(0, 10)) console.log(`  ${problem}`);
  console.log(`  answered     ${listing(answers)}`);
  console.log(`  closed       ${listing(closes)}`);
  console.log(`  heap, MB     ${heapBytes.map((bytes) => (bytes / 1e6).toFixed(1)).join('  ')}`);
  const limits = { maxAttemptsPerIpPerMinute: 1_000_000, maxSessions: 100_000 };
  const server = await startTestServer({ limits }, { createOpus: createOpusDecoder });
  const ends = await fuzzSockets(server.url, { messages: overSockets, seed: 2 });
  await server.close();
  console.log(`  over sockets ${overSockets.toLocaleString('en-US')} messages, connections ended: ${listing(ends)}`);
}

function listing(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count.toLocaleString('en-US')}`)
    .join(', ');
}

if (process.argv[1]?.includes('fuzz')) await benchFuzz(process.argv.includes('--quick'));
