import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, type ProbeOrder } from './loadProcess.ts';
import { nodeArguments, pinnedTo } from './processes.ts';

/** What the server's process used by now: CPU of all its threads; memory, of which `held` is the heap and what hangs on it. */
export type Cost = {
  readonly type: 'cost';
  readonly cpuMs: number;
  readonly rssBytes: number;
  readonly heldBytes: number;
  readonly heapBytes: number;
  readonly bufferBytes: number;
  /** How much later than asked for timers fired since the mark. */
  readonly delayMs: { readonly p50: number; readonly p95: number; readonly max: number };
};

/** `undertone serve` in a process of its own. */
export type ServerProcess = {
  readonly url: string;
  /** `reset`: the delays are counted anew; `collect`: garbage is collected first. */
  cost(what: ProbeOrder['type']): Promise<Cost>;
  stop(): Promise<void>;
};

/** Everything a load of one machine needs more of than a server of many would allow, and patience with a server that has too much to do. */
const LIMITS = {
  helloTimeoutMs: 120_000,
  heartbeatMs: 60_000,
  maxSessions: 10_000,
  maxConnections: 30_000,
  maxConnectionsPerIp: 30_000,
  maxAttemptsPerIpPerMinute: 100_000,
};
/** A server that lets nothing go, however late it is. */
const WITHOUT_SHEDDING = { ...LIMITS, maxDelayMs: 60_000 };

/**
 * Starts the server on the first core where that can be arranged, else anywhere; resolves when it listens.
 * @param options Further options of `undertone serve`.
 * @param isShedding Whether it does less when there is more to do than it can; else its answers come late.
 */
export async function startServerProcess(
  nodeOptions: readonly string[] = [],
  options: readonly string[] = [],
  isShedding = false,
): Promise<ServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'undertone-bench-'));
  const config = join(folder, 'server.json');
  writeFileSync(config, JSON.stringify({ limits: isShedding ? LIMITS : WITHOUT_SHEDDING }));
  const command = ['serve', '--port', '0', '--config', config, ...options];
  const node = [process.execPath, '--expose-gc', ...nodeOptions, ...nodeArguments('../../src/app/main', ['probe'])];
  const [file = '', ...args] = [...pinnedTo('0'), ...node, ...command];
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  const url = await listening(child);
  return {
    url,
    cost: async (what) => (await ask(child, { type: what }, 'cost')) as Cost,
    stop: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGINT');
      await exited;
      rmSync(folder, { recursive: true });
    },
  };
}

function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4_000);
      const [, url] = /listening on (\S+)/.exec(said) ?? [];
      if (url !== undefined) resolve(url);
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
  });
}
