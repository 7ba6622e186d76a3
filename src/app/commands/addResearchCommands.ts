import type { Command } from 'commander';
import { BACKENDS, LIVE_BACKENDS } from '../../model/backend.ts';
import type { EvaluateCommand } from '../report/evaluateOptions.ts';
import type { Terminal } from '../terminal.ts';
import { backendOption, commaList, wholeNumber } from './options.ts';
import type { TrainCommand } from './train.ts';

/** Adds `undertone train` and `undertone evaluate` to a program; `finish` is given the exit status. */
export function addResearchCommands(program: Command, terminal: Terminal, finish: (status: number) => void): void {
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
    .action(async (options: TrainCommand) => finish(await (await import('./train.ts')).runTrain(options, terminal)));
  program
    .command('evaluate')
    .description('measure weights on a split of a dataset')
    .option('--weights <file>', 'a weights file other than the one that ships')
    .requiredOption('--data <dir>', 'dataset folder')
    .option('--split <name>', 'which split', 'dev')
    .option('--show <NAME,NAME>', 'only these modalities', commaList, [])
    .option('--look-ahead <N,N>', 'later utterances seen: 0 to 64, or inf (default: 0,1,2,4,8,inf)', commaList, [])
    .option('--missing <WHAT>', 'also with modalities missing: subsets, rates, or both', commaList, [])
    .option('--ablate <NAME,NAME>', 'also without: qaf, joint-embedding, speaker, dialogue, face', commaList, [])
    .option('--shuffle-speakers', 'also with speakers permuted within each dialogue', false)
    .option('--compare <file...>', 'also other weights files on the same utterances', [])
    .addOption(backendOption(LIVE_BACKENDS))
    .option('--out <dir>', 'write report, charts and masks to this folder')
    .option('--json', 'as one JSON object', false)
    .action(async (options: EvaluateCommand) =>
      finish(await (await import('./evaluate.ts')).runEvaluate(options, terminal)),
    );
}
