import { type Command, InvalidArgumentError, Option } from 'commander';
import { PRIVACY_MODES, type PrivacyMode } from '../../domain/modality.ts';
import { type Backend, LIVE_BACKENDS } from '../../model/backend.ts';
import { RECOGNIZERS } from '../recognizers.ts';
import type { Terminal } from '../terminal.ts';
import { backendOption, collect, commaList } from './options.ts';
import type { StartCommand } from './start.ts';

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

/** Adds `undertone start` and `undertone replay` to a program; `finish` is given the exit status. */
export function addCallCommands(program: Command, terminal: Terminal, finish: (status: number) => void): void {
  program
    .command('start')
    .description('play the bundled call; also what happens without a command')
    .addOption(speedOption())
    .option('--json', 'one JSON object per insight on standard output', false)
    .option('--out <dir>', 'write insights, summary, captions and timeline to this folder')
    .addOption(visionOption())
    .option('--serve', 'serve live calls beside it, and after it until Ctrl-C; the default at a terminal')
    .option('--no-serve', 'end when the call is over')
    .action(async (options: StartCommand) => finish(await (await import('./start.ts')).runStart(options, terminal)));
  program
    .command('replay')
    .description('analyze a recorded call')
    .argument('[media]', 'an audio or video file')
    .option('--track <NAME=FILE>', 'one file per participant; repeat it', collect, [])
    .option('--channels <NAME,NAME>', 'one channel of the file per participant', commaList, [])
    .option('--captions <file>', 'WebVTT, SRT or JSON captions')
    .option('--rttm <file>', 'who speaks when')
    .option(
      '--asr <NAME,NAME>',
      `recognize speech, by the first of these that works: ${Object.keys(RECOGNIZERS).join(', ')}`,
      commaList,
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
      finish(await (await import('./replay.ts')).runReplay({ ...options, media, tracks: track }, terminal)),
    );
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
