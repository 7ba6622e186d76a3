#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { PRIVACY_MODES, type PrivacyMode } from '../domain/modality.ts';
import { isUndertoneError } from '../errors.ts';
import { type Backend, BACKENDS, LIVE_BACKENDS } from '../model/backend.ts';
import { addDatasetCommands } from './commands/addDatasetCommands.ts';
import { addServerCommands } from './commands/addServerCommands.ts';
import { addModelsCommand } from './commands/addModelsCommand.ts';
import type { DoctorCommand } from './commands/doctor.ts';
import type { StartCommand } from './commands/start.ts';
import type { TrainCommand } from './commands/train.ts';
import type { EvaluateCommand } from './report/evaluateOptions.ts';
import { packageVersion } from './packageRoot.ts';
import { EXIT, outputRule, processTerminal, type Terminal } from './terminal.ts';

type ReplayOptions = {
  track: string[];
  channels: string[];
  captions?: string;
  rttm?: string;
  asr: string[];
  speed: number | 'max';
  out?: string;
  json: boolean;
  privacy: PrivacyMode;
  vision: 'on' | 'off';
  tiles: string[];
  grid: string[];
  weights?: string;
  backend: Backend | 'auto';
};

function buildProgram(terminal: Terminal, finish: (status: number) => void): Command {
  const program = new Command('undertone')
    .description('Says, utterance by utterance and speaker by speaker, which emotion is expressed and how sure it is.')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.out.write(text),
      writeErr: (text) => void terminal.err.write(text),
      outputError: (text, write) => write(`undertone: BAD_OPTION: ${oneLine(text)} (undertone --help says more)\n`),
    });
  program
    .command('start')
    .description('play the bundled call; also what happens without a command')
    .addOption(speedOption())
    .option('--json', 'one JSON object per insight on standard output', false)
    .option('--out <dir>', 'write insights, summary, captions and timeline to this folder')
    .addOption(visionOption())
    .option('--serve', 'serve live calls beside it, and after it until Ctrl-C; the default at a terminal')
    .option('--no-serve', 'end when the call is over')
    .action(async (options: StartCommand) =>
      finish(await (await import('./commands/start.ts')).runStart(options, terminal)),
    );
  program
    .command('replay')
    .description('analyze a recorded call')
    .argument('[media]', 'an audio or video file')
    .option('--track <NAME=FILE>', 'one file per participant; repeat it', collect, [])
    .option('--channels <NAME,NAME>', 'one channel of the file per participant', list, [])
    .option('--captions <file>', 'WebVTT, SRT or JSON captions')
    .option('--rttm <file>', 'who speaks when')
    .option(
      '--asr <NAME,NAME>',
      'recognize speech, by the first of these that works: deepgram, whisper, pocketsphinx',
      list,
      [],
    )
    .option('--tiles <NAME=x,y,w,h...>', 'where participants are in the picture of a gallery, in pixels')
    .option('--grid <what...>', 'the same, as columns x rows and names: 2x2 NAME,NAME')
    .addOption(visionOption())
    .addOption(speedOption().default('max'))
    .option('--out <dir>', 'write insights, summary, captions and timeline to this folder')
    .option('--json', 'one JSON object per insight on standard output', false)
    .addOption(new Option('--privacy <mode>', 'what is never looked at').choices(PRIVACY_MODES).default('none'))
    .option('--weights <file>', 'a weights file other than the one that ships')
    .addOption(backendOption(LIVE_BACKENDS))
    .action(async (media: string | undefined, { track, ...options }: ReplayOptions) =>
      finish(await (await import('./commands/replay.ts')).runReplay({ ...options, media, tracks: track }, terminal)),
    );
  program
    .command('doctor')
    .description('say what is there and what is lost without the rest')
    .option('--config <file>', 'the configuration of a server, to say what its privacy mode lets it analyze')
    .option('--json', 'as one JSON object', false)
    .action(async (options: DoctorCommand) =>
      finish(await (await import('./commands/doctor.ts')).runDoctorCommand(options, terminal)),
    );
  addResearchCommands(program, terminal, finish);
  addDatasetCommands(program, terminal, finish);
  addServerCommands(program, terminal, finish);
  addModelsCommand(program, terminal, finish);
  return program;
}

function addResearchCommands(program: Command, terminal: Terminal, finish: (status: number) => void): void {
  program
    .command('train')
    .description('train weights on a dataset in format 1')
    .requiredOption('--config <file>', 'training configuration')
    .requiredOption('--data <dir...>', 'folders of datasets and text corpora')
    .requiredOption('--out <dir>', 'where checkpoint and weights go')
    .option('--resume', 'continue from the last whole epoch', false)
    .option('--start <weights>', 'weights to go on from, in place of pre-training')
    .option('--folds', 'cross-validate over the splits fold0, fold1, …', false)
    .option('--seed <n>', 'instead of the seed of the configuration', wholeNumber)
    .addOption(backendOption(BACKENDS))
    .action(async (options: TrainCommand) =>
      finish(await (await import('./commands/train.ts')).runTrain(options, terminal)),
    );
  program
    .command('evaluate')
    .description('measure weights on a split of a dataset')
    .option('--weights <file>', 'a weights file other than the one that ships')
    .requiredOption('--data <dir>', 'dataset folder')
    .option('--split <name>', 'which split', 'dev')
    .option('--show <NAME,NAME>', 'only these modalities', list, [])
    .option('--look-ahead <N,N>', 'later utterances seen: 0 to 64, or inf (default: 0,1,2,4,8,inf)', list, [])
    .option('--missing <WHAT>', 'also with modalities missing: subsets, rates, or both', list, [])
    .option('--ablate <NAME,NAME>', 'also without: qaf, joint-embedding, speaker, dialogue, face', list, [])
    .option('--shuffle-speakers', 'also with speakers permuted within each dialogue', false)
    .option('--compare <file...>', 'also other weights files on the same utterances', [])
    .addOption(backendOption(LIVE_BACKENDS))
    .option('--out <dir>', 'write report, charts and masks to this folder')
    .option('--json', 'as one JSON object', false)
    .action(async (options: EvaluateCommand) =>
      finish(await (await import('./commands/evaluate.ts')).runEvaluate(options, terminal)),
    );
}

function backendOption(names: readonly Backend[]): Option {
  return new Option('--backend <name>', 'tensor backend').choices(['auto', ...names]).default('auto');
}

function visionOption(): Option {
  return new Option('--vision <state>', 'whether faces and bodies are read from pictures')
    .choices(['on', 'off'])
    .default('off');
}

function speedOption(): Option {
  return new Option('--speed <n>', 'times real time, or max').argParser(speed).default(1);
}

function speed(value: string): number | 'max' {
  if (value === 'max') return 'max';
  const n = Number(value);
  if (!Number.isFinite(n) || n <= 0 || n > 1000)
    throw new InvalidArgumentError('It must be a number above 0 and up to 1000, or max.');
  return n;
}

function wholeNumber(value: string): number {
  const n = Number(value);
  if (!Number.isSafeInteger(n) || n < 0) throw new InvalidArgumentError('It must be a whole number from 0.');
  return n;
}

function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value];
}

function list(value: string): string[] {
  return value.split(',').map((name) => name.trim());
}

/** What commander says of a mistake, on one line and without its "error: ". */
function oneLine(text: string): string {
  return text
    .replace(/^error: /, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Runs a command line; returns its exit status. Never throws. */
export async function main(argv: readonly string[], terminal: Terminal): Promise<number> {
  let status = EXIT.done;
  try {
    await buildProgram(terminal, (s) => (status = s)).parseAsync(argv.length > 0 ? [...argv] : ['start'], {
      from: 'user',
    });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.refused;
    if (isUndertoneError(error)) {
      terminal.err.write(`undertone: ${error.code}: ${error.message}\n`);
      return error.code === 'INTERNAL' ? EXIT.failed : EXIT.refused;
    }
    if (isWriteError(error)) {
      terminal.err.write(`undertone: OUTPUT_FAILED: ${outputRule(error)}\n`);
      return EXIT.refused;
    }
    terminal.err.write(`undertone: INTERNAL: ${error instanceof Error ? (error.stack ?? error.message) : 'unknown'}\n`);
    return EXIT.failed;
  }
}

/** Standard output into a file fails at the write, unlike a pipe; all other files are written by who names them. */
function isWriteError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && error.syscall === 'write';
}

if (process.argv[1] !== undefined && (await isThisFile(process.argv[1]))) {
  process.exitCode = await main(process.argv.slice(2), processTerminal());
  // Whatever the ending left open (a decoder, a worker) does not keep the process.
  setTimeout(() => process.exit(), 2_000).unref();
}

async function isThisFile(path: string): Promise<boolean> {
  const { realpath } = await import('node:fs/promises');
  const { fileURLToPath } = await import('node:url');
  return (await realpath(path).catch(() => path)) === fileURLToPath(import.meta.url);
}
