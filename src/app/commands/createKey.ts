import { randomBytes } from 'node:crypto';
import type { ApiKey, Scope } from '../../config.ts';
import { createKey, hashKey } from '../../server/keys.ts';
import { EXIT, type Terminal } from '../terminal.ts';

const ID_BYTES = 4;

/** Prints a new key and the entry of `keys` that lets a server know it; keeps neither. Returns the exit status. */
export function runCreateKey(scopes: readonly Scope[], terminal: Terminal): number {
  const key = createKey();
  const id = `key-${randomBytes(ID_BYTES).toString('hex')}`;
  const entry: ApiKey = { id, sha256: hashKey(key).toString('hex'), scopes };
  terminal.out.write(
    [
      'The key, for the client. It is shown this once and kept nowhere:',
      `  ${key}`,
      'What the server keeps, for "keys" in its configuration:',
      `  ${JSON.stringify(entry)}`,
      '',
    ].join('\n'),
  );
  return EXIT.done;
}
