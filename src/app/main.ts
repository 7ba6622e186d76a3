#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { isUndertoneError } from '../errors.ts';
import { addCallCommands } from './commands/addCallCommands.ts';
import { addDatasetCommands } from './commands/addDatasetCommands.ts';
import { addModelsCommand } from './commands/addModelsCommand.ts';
import { addResearchCommands } from './commands/addResearchCommands.ts';
import { addServerCommands } from './commands/addServerCommands.ts';
import type { DoctorCommand } from './commands/doctor.ts';
import { packageVersion } from './packageRoot.ts';
import { EXIT, outputRule, processTerminal, type Terminal } from './terminal.ts';

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
  addCallCommands(program, terminal, finish);
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
