import { readFile } from 'node:fs/promises';
import { parseServerConfig, type ServerConfig } from '../config.ts';
import { UndertoneError } from '../errors.ts';

/** Reads the configuration of a server from a file of JSON. @throws UndertoneError FILE_NOT_FOUND, BAD_CONFIG */
export async function readServerConfig(path: string): Promise<ServerConfig> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new UndertoneError('FILE_NOT_FOUND', `${path}: no such file`, { cause });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UndertoneError('BAD_CONFIG', `${path} is not JSON`, { cause });
  }
  return parseServerConfig(value);
}
