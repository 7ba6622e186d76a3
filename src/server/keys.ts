import { createHash, randomBytes } from 'node:crypto';

const KEY_BYTES = 32;
const KEY_PREFIX = 'ut_';

/** Returns a new key: `ut_` and 32 random bytes in base64url. The prefix is for scanners that look for leaked keys. */
export function createKey(): string {
  return KEY_PREFIX + randomBytes(KEY_BYTES).toString('base64url');
}

/** Returns the SHA-256 of a key as it is sent, 32 bytes; the server keeps this and never the key. */
export function hashKey(key: string): Buffer {
  return createHash('sha256').update(key, 'utf8').digest();
}
