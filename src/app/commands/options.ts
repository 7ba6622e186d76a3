import { InvalidArgumentError, Option } from 'commander';
import type { Backend } from '../../model/backend.ts';

/** `--backend`, one of those named, or the first that works. */
export function backendOption(names: readonly Backend[]): Option {
  return new Option('--backend <name>', 'tensor backend').choices(['auto', ...names]).default('auto');
}

/** Adds a value to those of the same option before it. */
export function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value];
}

/** Names with commas between. */
export function commaList(value: string): string[] {
  return value.split(',').map((name) => name.trim());
}

/** @throws InvalidArgumentError when it is not a whole number from 0 */
export function wholeNumber(value: string): number {
  const n = Number(value);
  if (!Number.isSafeInteger(n) || n < 0) throw new InvalidArgumentError('It must be a whole number from 0.');
  return n;
}
