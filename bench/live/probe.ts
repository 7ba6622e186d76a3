/** Loaded into the server's process before everything else: says over IPC what the process costs when it is asked. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { ProbeOrder } from './loadProcess.ts';
import type { Cost } from './serverProcess.ts';

const delays = monitorEventLoopDelay({ resolution: 5 });
delays.enable();

/** Whoever measures is gone. */
process.on('disconnect', () => process.exit());
process.on('message', (order: ProbeOrder) => {
  if (order.type === 'cost') process.send?.(cost());
  if (order.type === 'reset') {
    delays.reset();
    process.send?.(cost());
  }
  if (order.type === 'collect') {
    globalThis.gc?.();
    globalThis.gc?.();
    process.send?.(cost());
  }
});

function cost(): Cost {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return {
    type: 'cost',
    cpuMs: (user + system) / 1_000,
    rssBytes: rss,
    heldBytes: heapUsed + external,
    heapBytes: heapUsed,
    bufferBytes: arrayBuffers,
    delayMs: { p50: delays.percentile(50) / 1e6, p95: delays.percentile(95) / 1e6, max: delays.max / 1e6 },
  };
}
