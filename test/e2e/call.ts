import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { OUTPUT_FILES } from '../../src/app/present/files.ts';
import type { Insight, SummaryInsight } from '../../src/domain/insight.ts';
import { createMediaFolder, type MediaFolder } from '../support/mediaFiles.ts';
import { type CommandOutcome, insightsIn, outcomeOf, runCommand } from '../support/terminal.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** The bundled call: two synthetic voices, made by fixtures/makeCall.ts. */
export const CALL: string = join(ROOT, 'fixtures', 'call');
/** Weights that do not depend on the ones that ship, made by fixtures/tinyWeights.ts. */
export const TINY: string = join(ROOT, 'fixtures', 'tiny', 'tiny.safetensors');

/** A folder of media cut from the bundled call, and folders to write to. */
export type CallFolder = MediaFolder & {
  /** `seconds` of one voice of the bundled call from `fromSeconds` on, written as ffmpeg is told by `args`. */
  cut(name: string, voice: 'ada' | 'ben', seconds: number, args?: readonly string[], fromSeconds?: number): string;
  /** Both voices mixed into one channel. */
  mix(name: string, seconds: number, args?: readonly string[]): string;
  /** A path at which nothing is yet. */
  path(name: string): string;
};

export function createCallFolder(): CallFolder {
  const media = createMediaFolder();
  const outputs = mkdtempSync(join(tmpdir(), 'undertone-e2e-'));
  const voiceFile = (voice: string): string => join(CALL, `${voice}.mp4`);
  return {
    ...media,
    cut: (name, voice, seconds, args = ['-vn'], fromSeconds = 0) =>
      media.make(name, ['-ss', String(fromSeconds), '-i', voiceFile(voice), '-t', String(seconds), ...args]),
    mix: (name, seconds, args = []) => {
      const inputs = ['ada', 'ben'].flatMap((voice) => ['-i', voiceFile(voice)]);
      return media.make(name, [...inputs, '-filter_complex', 'amix=inputs=2', '-vn', '-t', String(seconds), ...args]);
    },
    path: (name) => join(outputs, name),
    remove: () => {
      media.remove();
      rmSync(outputs, { recursive: true, force: true });
    },
  };
}

/** The captions of the first 12 s of the bundled call, as WebVTT. */
export const CAPTIONS_12S = `WEBVTT

00:00.700 --> 00:03.551
<v Ada>Hi Ben, shall we go through the plan for Saturday?

00:04.001 --> 00:06.777
<v Ben>Sure. The hall is booked from two until six.

00:07.277 --> 00:10.498
<v Ada>And I have great news! My sister is flying home for the party!
`;

/** Replays in this process with the tiny weights, as JSON. */
export async function replayJson(
  ...args: readonly string[]
): Promise<CommandOutcome & { readonly insights: readonly Insight[] }> {
  const outcome = await runCommand(['replay', '--json', '--weights', TINY, ...args]);
  return { ...outcome, insights: insightsIn(outcome.out) };
}

/** Expects that a command was refused: status 2, one line with this code, nothing on standard output, no files. */
export function expectRefused(outcome: CommandOutcome, code: string, outFolder?: string): void {
  expect(outcome.failures).toEqual([expect.stringMatching(new RegExp(`^undertone: ${code}: .{10,}`))]);
  expect(outcome.err).not.toMatch(/^\s+at /m);
  expect(outcome.out).toBe('');
  expect(outcome.status).toBe(2);
  if (outFolder !== undefined) expect(filesIn(outFolder)).toEqual([]);
}

/** What lies in a folder, hidden files too; nothing when there is no such folder. */
export function filesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

/** What lies in an output folder after a session that came to its end. */
export const ALL_FILES: readonly string[] = [...OUTPUT_FILES].sort();

export function summaryOf(insights: readonly Insight[]): SummaryInsight {
  const last = insights.at(-1);
  if (last?.type !== 'summary') throw new Error(`the last insight is ${last?.type ?? 'missing'}, not the summary`);
  return last;
}

/** A command line in a process of its own, in a process group of its own as a shell starts it. */
export type RunningCommand = {
  readonly done: Promise<CommandOutcome & { readonly signal: NodeJS.Signals | null }>;
  /** Resolves once standard output holds this. */
  readonly said: (text: string) => Promise<void>;
  /** Resolves once standard error holds this, with what matched. */
  readonly warned: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** Sends a signal to the whole group, as Ctrl-C in a terminal does. */
  readonly signalGroup: (signal: NodeJS.Signals) => void;
  /** Stops reading standard output, as `| head -1` does. */
  readonly stopReading: () => void;
};

export function startCommand(args: readonly string[], env: NodeJS.ProcessEnv = process.env): RunningCommand {
  const main = join(ROOT, 'src', 'app', 'main.ts');
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), main, ...args], {
    detached: true,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  const waiting: { text: string; resolve: () => void }[] = [];
  const looking: (() => void)[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    for (const wait of waiting) if (out.includes(wait.text)) wait.resolve();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
    for (const look of looking) look();
  });
  const warned: RunningCommand['warned'] = (pattern) =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(err);
        if (found) resolve(found);
      };
      looking.push(look);
      child.once('close', () => reject(new Error(`ended without ${pattern}: ${err}`)));
      look();
    });
  const done = new Promise<Awaited<RunningCommand['done']>>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ ...outcomeOf(status ?? -1, out, err), signal }));
  });
  return {
    done,
    said: (text) => new Promise((resolve) => (out.includes(text) ? resolve() : waiting.push({ text, resolve }))),
    warned,
    signalGroup: (signal) => void (child.pid !== undefined && process.kill(-child.pid, signal)),
    stopReading: () => child.stdout.destroy(),
  };
}
