import type { Random } from '../../../src/model/random.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Values that programs stumble over. */
const ODD: readonly Json[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  0.5,
  1e308,
  -1e308,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  '',
  ' ',
  '\u0000',
  '\ud800',
  '\u202e',
  '👩‍👩‍👧',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  'x'.repeat(65),
  'x'.repeat(11_000),
  [],
  {},
  [[[[[[[[]]]]]]]],
];
const ODD_KEYS = ['__proto__', 'constructor', 'type', 'v', 'streamId', 'toString', ''];

/** Picks one of some values. */
export function pick<T>(values: readonly T[], random: Random): T {
  const value = values[Math.floor(random() * values.length)];
  if (value === undefined) throw new RangeError('values must not be empty');
  return value;
}

/** Returns a JSON value with up to three changes of its structure. */
export function mutateJson(value: unknown, random: Random): unknown {
  let mutated = structuredClone(value) as Json;
  const changes = 1 + Math.floor(random() * 3);
  for (let n = 0; n < changes; n++) mutated = change(mutated, random);
  return mutated;
}

/** Goes down to a random place and changes what is there. */
function change(value: Json, random: Random): Json {
  const isInner = typeof value === 'object' && value !== null && Object.keys(value).length > 0;
  if (!isInner || random() < 0.15) return replace(value, random);
  if (Array.isArray(value)) return changeList(value, random);
  const key = pick(Object.keys(value), random);
  const action = random();
  if (action < 0.2) delete value[key];
  else if (action < 0.3) define(value, pick(ODD_KEYS, random), pick(ODD, random));
  else if (action < 0.4) define(value, key, value[pick(Object.keys(value), random)] ?? null);
  else define(value, key, change(value[key] ?? null, random));
  return value;
}

function changeList(list: Json[], random: Random): Json {
  const at = Math.floor(random() * list.length);
  const action = random();
  if (action < 0.15) return list.toSpliced(at, 1);
  if (action < 0.3) return [...list, list[at] ?? null];
  if (action < 0.35) return Array.from({ length: 100 }, () => list[at] ?? null);
  return list.with(at, change(list[at] ?? null, random));
}

function replace(value: Json, random: Random): Json {
  if (typeof value === 'number' && random() < 0.6) return value + pick([-1, 1, 0.5, 1e6, -1e9], random);
  if (typeof value === 'string' && random() < 0.5)
    return value.slice(0, Math.floor(random() * value.length)) + pick(['', 'é', ' ', '0'], random);
  return random() < 0.1 ? [value] : pick(ODD, random);
}

/** Sets a key as JSON.parse does: `__proto__` too is a key. */
function define(target: { [key: string]: Json }, key: string, value: Json): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Returns bytes of which some were flipped, cut out, doubled or put in. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const at = Math.floor(random() * (bytes.length + 1));
  const length = Math.floor(random() ** 3 * (bytes.length - at + 1));
  const noise = Uint8Array.from({ length: Math.floor(random() * 9) }, () => Math.floor(random() * 256));
  const action = random();
  if (action < 0.5) {
    const flipped = bytes.slice();
    for (let n = 0; n <= random() * 4; n++) {
      const place = Math.floor(random() * flipped.length);
      flipped[place] = (flipped[place] ?? 0) ^ (1 << Math.floor(random() * 8));
    }
    return flipped;
  }
  if (action < 0.7) return bytes.slice(0, at);
  if (action < 0.8) return join(bytes.subarray(0, at), noise, bytes.subarray(at));
  if (action < 0.9) return join(bytes.subarray(0, at), bytes.subarray(at + length));
  return join(bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at));
}

function join(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
