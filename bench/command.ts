import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a run of the command line cost. CPU seconds include ffmpeg; `null` where the system cannot say. */
export type CommandCost = {
  readonly status: number | null;
  readonly wallMs: number;
  readonly nodeCpuSeconds: number;
  readonly allCpuSeconds: number | null;
  readonly peakMegabytes: number;
};

/** Written by the measured process when it ends: peak memory in kB, user and system time in µs. */
const AT_EXIT = `process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  process.stderr.write('\\nUSAGE ' + maxRSS + ' ' + (userCPUTime + systemCPUTime) + '\\n');
})`;

/** Runs a command line in a process of its own, on one core where `taskset` is there, and returns what it cost. */
export async function measureCommand(
  args: readonly string[],
  { oneCore = true }: { readonly oneCore?: boolean } = {},
): Promise<CommandCost> {
  const command = [
    ...(oneCore ? pinning() : []),
    process.execPath,
    ...loader(),
    '--import',
    `data:text/javascript,${encodeURIComponent(AT_EXIT)}`,
  ];
  const [file = '', ...rest] = withTimes([...command, mainPath(), ...args]);
  const started = performance.now();
  const child = spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out = (out + text).slice(-1_000)));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err = (err + text).slice(-4_000)));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const wallMs = performance.now() - started;
  const [, peakKilobytes = 'NaN', micros = 'NaN'] = /USAGE (\d+) (\d+)/.exec(err) ?? [];
  return {
    status,
    wallMs,
    nodeCpuSeconds: Number(micros) / 1e6,
    allCpuSeconds: childSeconds(out),
    peakMegabytes: Number(peakKilobytes) / 1_024,
  };
}

/** The middle value; NaN of nothing. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value that a share of the values does not exceed; NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** The words of a command line of ours, beginning with the program that runs it. */
export function commandLine(args: readonly string[]): readonly [string, ...string[]] {
  return [process.execPath, ...loader(), mainPath(), ...args];
}

function mainPath(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`../src/app/main.${extension}`, import.meta.url));
}

function loader(): readonly string[] {
  return import.meta.url.endsWith('.ts') ? ['--import', import.meta.resolve('tsx')] : [];
}

/** Runs a command on the first core; part of util-linux. */
const ONE_CORE: readonly [string, ...string[]] = ['taskset', '-c', '0'];

function pinning(): readonly string[] {
  const [taskset, ...args] = ONE_CORE;
  const isThere = spawnSync(taskset, [...args, process.execPath, '--version'], { stdio: 'ignore' }).status === 0;
  return isThere ? ONE_CORE : [];
}

/** A shell around a command: its `times` also counts the processes that the command started. */
function withTimes(command: readonly string[]): readonly string[] {
  return process.platform === 'win32'
    ? command
    : ['sh', '-c', '"$@" >/dev/null; status=$?; times; exit $status', 'sh', ...command];
}

function childSeconds(out: string): number | null {
  const children = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(out);
  if (!children) return null;
  const [userMinutes = 0, user = 0, systemMinutes = 0, system = 0] = children.slice(1).map(Number);
  return 60 * (userMinutes + systemMinutes) + user + system;
}
