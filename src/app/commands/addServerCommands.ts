import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Scope, SCOPES } from '../../config.ts';
import type { Terminal } from '../terminal.ts';
import { commaList } from './options.ts';
import type { ServeCommand } from './serve.ts';

/** Adds `undertone serve` and `undertone keys create` to a program; `finish` is given the exit status. */
export function addServerCommands(program: Command, terminal: Terminal, finish: (status: number) => void): void {
  program
    .command('serve')
    .description('analyze conversations while they happen, over WebSockets')
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <n>', 'on which port; 0 takes a free one', port, 8787)
    .option('--config <file>', 'keys, limits and policy, as JSON')
    .option('--asr <NAME,NAME>', 'speech recognizers that give text, in order of preference', commaList)
    .option('--weights <file>', 'a weights file other than the one that ships')
    .addOption(
      new Option(
        '--vision <state>',
        'whether faces and bodies are read from pictures (default: as configured, or off)',
      ).choices(['on', 'off']),
    )
    .action(async (options: ServeCommand) => finish(await (await import('./serve.ts')).runServe(options, terminal)));
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
  const names = commaList(value);
  const known = SCOPES.filter((scope) => names.includes(scope));
  if (known.length === 0 || known.length !== names.length)
    throw new InvalidArgumentError(`It must be one or more of ${SCOPES.join(', ')}, with commas between.`);
  return known;
}

function port(value: string): number {
  const n = Number(value);
  if (!Number.isInteger(n) || n < 0 || n > 65_535) throw new InvalidArgumentError('It must be from 0 to 65535.');
  return n;
}
