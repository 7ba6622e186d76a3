import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyWeights } from '../../fixtures/tinyWeights.ts';
import { encodeWeights } from '../../src/model/weights.ts';
import { runCommand } from '../support/terminal.ts';
import { createCallFolder, expectRefused, TINY, type CallFolder } from './call.ts';

let folder: CallFolder;
let call = '';
beforeAll(() => {
  folder = createCallFolder();
  call = folder.cut('call.wav', 'ada', 2);
});
afterAll(() => {
  folder.remove();
});

/** The tiny weights with another header; data as it was. */
function withHeader(
  change: (header: Record<string, { shape: number[]; data_offsets: number[]; dtype: string }>) => unknown,
): Buffer {
  const bytes = readFileSync(TINY);
  const size = Number(bytes.readBigUInt64LE(0));
  const header: unknown = change(JSON.parse(bytes.toString('utf8', 8, 8 + size)));
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, bytes.subarray(8 + size)]);
}

function withHeaderLength(length: bigint): Buffer {
  const bytes = Buffer.from(readFileSync(TINY));
  bytes.writeBigUInt64LE(length);
  return bytes;
}

const GATE = 'fusion.gate.w';
const HOSTILE: readonly [string, () => Buffer, RegExp][] = [
  ['an empty file', () => Buffer.alloc(0), /shorter than its 8-byte length/],
  [
    'a file cut off in the middle',
    () => readFileSync(TINY).subarray(0, 60_000),
    /data has \d+ bytes, the header describes/,
  ],
  ['a file cut off in its header', () => readFileSync(TINY).subarray(0, 100), /ends inside its header/],
  ['a file with bytes too many', () => Buffer.concat([readFileSync(TINY), Buffer.alloc(1)]), /the header describes/],
  ['a header that claims 2^63 bytes', () => withHeaderLength(2n ** 63n), /header claims 9223372036854775808 bytes/],
  ['a header that is no JSON', () => withHeaderLength(50n), /header is not JSON/],
  ['a header that is a list', () => withHeader(() => []), /header is not an object/],
  [
    'a shape that is not the network’s',
    () => withHeader((h) => ({ ...h, [GATE]: { ...h[GATE], shape: [8, 32] } })),
    /"fusion\.gate\.w" .*shape/,
  ],
  [
    'a shape whose product overflows',
    () => withHeader((h) => ({ ...h, [GATE]: { ...h[GATE], shape: [2 ** 40, 2 ** 40] } })),
    /elements/,
  ],
  ['a negative size', () => withHeader((h) => ({ ...h, [GATE]: { ...h[GATE], shape: [-16, -16] } })), /invalid shape/],
  [
    'offsets outside the file',
    () => withHeader((h) => ({ ...h, [GATE]: { ...h[GATE], data_offsets: [2 ** 50, 2 ** 50 + 512] } })),
    /hole or overlaps/,
  ],
  ['two tensors in one place', () => withHeader((h) => ({ ...h, extra: h[GATE] })), /hole or overlaps/],
  [
    'a type that is not a number',
    () => withHeader((h) => ({ ...h, [GATE]: { ...h[GATE], dtype: 'PICKLE' } })),
    /type other than F32 and F16/,
  ],
  [
    'no description of the network',
    () => withHeader(({ __metadata__: _, ...rest }) => rest),
    /metadata entry "undertone"/,
  ],
  ['a name like a prototype’s', () => withHeader((h) => ({ ...h, constructor: h[GATE] })), /hole or overlaps/],
];

describe('undertone replay --weights', () => {
  it.each(HOSTILE)('refuses %s with the reason.', async (name, make, rule) => {
    const out = folder.path(name.replaceAll(' ', '-'));
    const weights = folder.write('hostile.safetensors', make());
    const outcome = await runCommand(['replay', call, '--weights', weights, '--out', out]);
    expect(outcome.err).toMatch(rule);
    expectRefused({ ...outcome, err: outcome.err }, 'BAD_WEIGHTS', out);
  });

  it('refuses weights that hold a number that is none.', async () => {
    const weights = tinyWeights();
    const values = new Map([...weights.values, [GATE, new Float32Array(256).fill(NaN)]]);
    const path = folder.write('nan.safetensors', encodeWeights({ ...weights, values }, 'F32'));
    const outcome = await runCommand(['replay', call, '--weights', path]);
    expectRefused(outcome, 'BAD_WEIGHTS');
    expect(outcome.err).toContain(`"${GATE}" holds NaN or infinity`);
  });

  it.each([
    ['a file that is not there', () => 'gone.safetensors'],
    ['a folder', () => folder.path('..')],
  ])('refuses %s.', async (_, path) => {
    expectRefused(await runCommand(['replay', call, '--weights', path()]), 'FILE_NOT_FOUND');
  });
});
