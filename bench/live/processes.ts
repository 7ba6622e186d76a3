import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const isSource = import.meta.url.endsWith('.ts');
/** This folder as it is built. */
const BUILT = new URL(isSource ? '../../dist/bench/live/' : './', import.meta.url);

/**
 * The arguments of node that run a module of this folder, with modules of this folder loaded before it: always as built,
 * which is what people run, and built first where that is older than the sources.
 */
export function nodeArguments(module: string, before: readonly string[] = []): readonly string[] {
  if (isSource) spawnSync(process.execPath, [fileURLToPath(new URL('../../scripts/ensureBuilt.mjs', import.meta.url))]);
  const preloads = before.flatMap((name) => ['--import', urlOf(name).href]);
  return [...preloads, fileURLToPath(urlOf(module))];
}

function urlOf(module: string): URL {
  return new URL(`${module}.js`, BUILT);
}

/** The words that run a command on some cores, such as `0` or `1-3`; none where that cannot be done. */
export function pinnedTo(cores: string): readonly string[] {
  const words = ['taskset', '-c', cores];
  const isThere = spawnSync('taskset', ['-c', cores, process.execPath, '--version'], { stdio: 'ignore' }).status === 0;
  return isThere ? words : [];
}
