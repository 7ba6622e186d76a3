import type { Command } from 'commander';
import type { Terminal } from '../terminal.ts';
import type { ModelsOptions } from './models.ts';

/** Adds `models list`, `models pull [NAME…]` and `models verify`. */
export function addModelsCommand(program: Command, terminal: Terminal, finish: (status: number) => void): void {
  const models = program
    .command('models')
    .description('the models that read faces and bodies in pictures, and words in speech');
  const folder = ['--models <dir>', 'the folder of the models (default: UNDERTONE_MODELS, or the cache)'] as const;
  models
    .command('list')
    .description('say which there are, what they are and what of them is there')
    .option(...folder)
    .action(async (options: ModelsOptions) =>
      finish(await (await import('./models.ts')).runModelsList(options, terminal)),
    );
  models
    .command('pull')
    .description('get models: those of pictures, or those named')
    .argument('[names...]', 'names of models')
    .option(...folder)
    .action(async (names: string[], options: ModelsOptions) =>
      finish(await (await import('./models.ts')).runModelsPull(names, options, terminal)),
    );
  models
    .command('verify')
    .description('check size and sha256 of what is there')
    .option(...folder)
    .action(async (options: ModelsOptions) =>
      finish(await (await import('./models.ts')).runModelsVerify(options, terminal)),
    );
}
