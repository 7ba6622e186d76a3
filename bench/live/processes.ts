import { spawnSync } from 'node:child_process';

const isSource = import.meta.url.endsWith('.ts');

/** The arguments of node that run a module of this folder, built or not, with modules of this folder loaded before it. */
export function nodeArguments(module: string, before: readonly string[] = []): readonly string[] {
  const loader = isSource ? ['--import', import.meta.resolve('tsx')] : [];
  const preloads = before.flatMap((name) => ['--import', urlOf(name).href]);
  return [...loader, ...preloads, urlOf(module).pathname];
}

function urlOf(module: string): URL {
  return new URL(`./${module}.${isSource ? 'ts' : 'js'}`, import.meta.url);
}

/** The words that run a command on some cores, such as `0` or `1-3`; none where that cannot be done. */
export function pinnedTo(cores: string): readonly string[] {
  const words = ['taskset', '-c', cores];
  const isThere = spawnSync('taskset', ['-c', cores, process.execPath, '--version'], { stdio: 'ignore' }).status === 0;
  return isThere ? words : [];
}
