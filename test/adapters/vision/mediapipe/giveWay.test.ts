import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { buildSync } from 'esbuild';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../../../../adapters/vision/mediapipe/giveWay.ts', import.meta.url));

/** Calls giveWay in a thread; returns what it returned, and the priority of that thread afterwards. */
function giveWayInThread(): Promise<{ readonly gave: boolean; readonly thread: number }> {
  const { outputFiles } = buildSync({
    entryPoints: [source],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
  });
  const code = `${outputFiles[0]?.text}
    const { readlinkSync } = require('node:fs');
    const gave = module.exports.giveWay();
    const priority = require('node:os').getPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)));
    require('node:worker_threads').parentPort.postMessage({ gave, thread: priority });`;
  return new Promise((resolve, reject) => {
    const worker = new Worker(code, { eval: true });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

describe('giveWay', () => {
  it.skipIf(process.platform !== 'linux')('lowers the priority of its own thread, and of no other.', async () => {
    const before = getPriority();
    const { gave, thread } = await giveWayInThread();
    expect([gave, thread, getPriority()]).toEqual([true, Math.max(before, 5), before]);
  });
});
