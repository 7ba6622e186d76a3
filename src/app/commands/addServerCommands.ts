import { type Command, InvalidArgumentError } from 'commander';
import { type Scope, SCOPES } from '../../config.ts';
import type { Terminal } from '../terminal.ts';

/** Adds `undertone keys create` to a program; `finish` is given the exit status. */
export function addServerCommands(program: Command, terminal: Terminal, finish: (status: number) => void): void {
  program
    .command('keys')
    .description('keys of the live server')
    .command('create')
    .description('print a new key, once, and what the configuration of the server keeps of it')
    .option('--scopes <NAME,NAME>', `of ${SCOPES.join(', ')}`, scopes, ['produce', 'consume'] satisfies Scope[])
    .action(async (options: { scopes: readonly Scope[] }) =>
      finish((await import('./createKey.ts')).runCreateKey(options.scopes, terminal)),
    );
}

function scopes(value: string): readonly Scope[] {
  const names = value.split(',').map((name) => name.trim());
  const known = SCOPES.filter((scope) => names.includes(scope));
  if (known.length === 0 || known.length !== names.length)
    throw new InvalidArgumentError(`It must be one or more of ${SCOPES.join(', ')}, with commas between.`);
  return known;
}
