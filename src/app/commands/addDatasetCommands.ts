import { type Command, Option } from 'commander';
import type { Terminal } from '../terminal.ts';
import type { DatasetCommand, DatasetSource } from './dataset.ts';

type DatasetOptions = Omit<DatasetCommand, 'root'> & { readonly root?: string; readonly data?: string };

/** Adds `undertone dataset meld`, `iemocap` and `extract` to a program; `finish` is given the exit status. */
export function addDatasetCommands(program: Command, terminal: Terminal, finish: (status: number) => void): void {
  const dataset = program.command('dataset').description('make a dataset in format 1 out of recordings with labels');
  const add = (name: string, from: Option, source: DatasetSource, description: string): Command =>
    dataset
      .command(name)
      .description(description)
      .addOption(from.makeOptionMandatory())
      .requiredOption('--out <dir>', 'the dataset; must not be there yet')
      .option('--cache <dir>', 'where measures are kept, instead of the cache folder of the user')
      .option('--strict', 'stop at a missing or broken file instead of leaving it out', false)
      .action(async ({ root, data, ...options }: DatasetOptions) => {
        const { runDataset } = await import('./dataset.ts');
        finish(await runDataset(source, { ...options, root: root ?? data ?? '' }, terminal));
      });
  add('meld', new Option('--root <dir>', 'MELD.Raw, unpacked'), 'meld', 'from the MELD release');
  add('iemocap', new Option('--root <dir>', 'IEMOCAP_full_release'), 'iemocap', 'from the IEMOCAP release');
  add('extract', new Option('--data <dir>', 'with meta.json or labels.csv'), 'folder', 'from a folder of media').option(
    '--media <dir>',
    'the folder that paths of media start from, when it is another',
  );
}
