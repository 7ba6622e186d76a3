import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { isUndertoneError } from '../../src/errors.ts';
import { startBackend } from '../../src/model/backend.ts';
import { createEmotionModel, type EmotionModel } from '../../src/model/conversation.ts';
import { fnv1a } from '../../src/model/fingerprint.ts';
import { addAll, randomDialogue } from '../support/tinyConversation.ts';
import { tinyWeights } from '../support/tinyModel.ts';

/**
 * States whose checksum and fingerprint are right and whose content is not: what someone could write on purpose.
 */
let model: EmotionModel;
let blob: Uint8Array;
beforeAll(async () => {
  await startBackend('cpu');
  model = createEmotionModel(tinyWeights());
  const conversation = model.open();
  await addAll(conversation, randomDialogue(1, ['Ann', 'Ben', 'Ann', 'Ben', 'Ann'], [['text', 'prosody'], []]));
  blob = conversation.save();
});
afterAll(() => model.dispose());

type Json = Record<string, unknown>;

function headerOf(bytes: Uint8Array): Json {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(6, true);
  return JSON.parse(new TextDecoder().decode(bytes.subarray(10, 10 + length))) as Json;
}

/** The state with another header text, and a checksum that fits. */
function withHeader(text: string, claimed?: number): Uint8Array {
  const length = new DataView(blob.buffer, blob.byteOffset).getUint32(6, true);
  const json = new TextEncoder().encode(text);
  const body = Uint8Array.from([...blob.subarray(0, 10), ...json, ...blob.subarray(10 + length, blob.length - 4)]);
  new DataView(body.buffer).setUint32(6, claimed ?? json.length, true);
  return sealed(body);
}

function sealed(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(body.length + 4);
  bytes.set(body);
  new DataView(bytes.buffer).setUint32(body.length, fnv1a(body), true);
  return bytes;
}

function codeOf(bytes: Uint8Array): string | undefined {
  try {
    model.open(bytes);
    return undefined;
  } catch (error) {
    return isUndertoneError(error) ? error.code : String(error);
  }
}

const changed = (change: Json): string => JSON.stringify({ ...headerOf(blob), ...change });
const statistics = (): Json & { speakers: Json[]; before: Json[] } =>
  headerOf(blob)['statistics'] as Json & { speakers: Json[]; before: Json[] };

describe('open', () => {
  it('accepts the header it wrote, sealed again: these tests change one thing at a time.', () => {
    expect(codeOf(withHeader(JSON.stringify(headerOf(blob))))).toBeUndefined();
  });

  it.each<[string, () => string]>([
    ['is empty', () => ''],
    ['is not JSON', () => '{'],
    ['is null', () => 'null'],
    ['is a list', () => '[]'],
    ['lacks everything', () => '{}'],
    ['names another width', () => changed({ width: 24 })],
    ['names other weights', () => changed({ weights: 1 })],
    ['names another number of labels', () => changed({ labels: 4 })],
    ['has more speakers than are kept', () => changed({ speakers: Array.from({ length: 65 }, (_, i) => `s${i}`) })],
    ['has speakers that are not names', () => changed({ speakers: [1, 2] })],
    ['has no list of speakers', () => changed({ speakers: { length: 2 } })],
    ['has a speaker more than it has states', () => changed({ speakers: ['Ann', 'Ben', 'Cy'] })],
    ['has a window that is no list', () => changed({ window: 'abc' })],
    ['has a window longer than the look-ahead', () => changed({ window: new Array(9).fill(entryOfWindow()) })],
    ['has nothing in its window', () => changed({ window: [null] })],
    ['has a window entry without id', () => changed({ window: [{ ...entryOfWindow(), id: 3 }] })],
    ['has weights that are not numbers', () => changed({ window: [{ ...entryOfWindow(), weights: ['1'] }] })],
    ['has no statistics', () => changed({ statistics: null })],
    ['has statistics that are no list', () => changed({ statistics: { ...statistics(), speakers: {} } })],
    ['has statistics of nobody', () => changed({ statistics: { ...statistics(), speakers: [null] } })],
    ['has statistics without inputs', () => changed({ statistics: { ...statistics(), speakers: [{ id: 'a' }] } })],
    ['has statistics of an unknown input', () => withStatistics(['smell'])],
    ['has statistics of an input that is not relative to the speaker', () => withStatistics(['segments'])],
    ['has statistics of one input twice', () => withStatistics(['prosody', 'prosody'])],
    ['has more statistics than numbers', () => withStatistics(['prosody'], 'Cy')],
    ['has statistics by number', () => withStatistics([0])],
    ['has modes that are not known', () => changed({ window: [{ ...entryOfWindow(), modes: ['smell'] }] })],
    ['has a mode twice', () => changed({ window: [{ ...entryOfWindow(), modes: ['text', 'text'] }] })],
    ['has modes out of order', () => changed({ window: [{ ...entryOfWindow(), modes: ['audio', 'text'] }] })],
    ['has no modes', () => changed({ window: [{ ...entryOfWindow(), modes: undefined }] })],
    [
      'has statistics before more utterances than the window',
      () => {
        const [first] = statistics().before;
        return changed({ statistics: { ...statistics(), before: new Array(9).fill(first) } });
      },
    ],
  ])('refuses a state whose header %s.', (_, header) => {
    expect(codeOf(withHeader(header()))).toBe('BAD_STATE');
  });

  it('refuses a header that claims to reach beyond the state.', () => {
    for (const claimed of [blob.length, 0xffff_ffff, 0])
      expect(codeOf(withHeader(JSON.stringify(headerOf(blob)), claimed))).toBe('BAD_STATE');
  });

  it('refuses numbers that are not finite, and another version, such as that of earlier releases.', () => {
    const body = blob.slice(0, blob.length - 4);
    const floats = 10 + new DataView(body.buffer).getUint32(6, true);
    for (const bad of [NaN, Infinity]) {
      const first = body.slice();
      new DataView(first.buffer).setFloat32(floats, bad, true);
      expect(codeOf(sealed(first))).toBe('BAD_STATE');
      const last = body.slice();
      new DataView(last.buffer).setFloat64(last.length - 8, bad, true);
      expect(codeOf(sealed(last))).toBe('BAD_STATE');
    }
    const newer = blob.slice(0, blob.length - 4);
    new DataView(newer.buffer).setUint16(4, 1, true);
    expect(codeOf(sealed(newer))).toBe('BAD_STATE');
  });

  it('refuses a negative count and a negative sum of squares, and accepts a negative mean.', () => {
    // The last 17 numbers are the statistics of one input of 8: count, means, sums of squares.
    const put = (place: number, value: number): string | undefined => {
      const body = blob.slice(0, blob.length - 4);
      new DataView(body.buffer).setFloat64(body.length - 8 * (17 - place), value, true);
      return codeOf(sealed(body));
    };
    expect([put(0, -1), put(9, -0.5), put(16, -5)]).toEqual(['BAD_STATE', 'BAD_STATE', 'BAD_STATE']);
    expect([put(0, 3), put(1, -0.5), put(8, -5), put(16, 5)]).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('either refuses what was put in the place of a field, or goes on with finite probabilities.', async () => {
    const paths = pathsOf(headerOf(blob));
    expect(paths.length).toBeGreaterThan(50);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.jsonValue(), async (path, value) => {
        const header = headerOf(blob);
        put(header, path, value);
        const bytes = withHeader(JSON.stringify(header));
        const code = codeOf(bytes);
        if (code !== undefined) {
          expect(code).toBe('BAD_STATE');
          return;
        }
        const answers = await addAll(model.open(bytes), randomDialogue(2, ['Ann', 'Ben'], [['text', 'prosody']]));
        for (const { probabilities } of answers.flat()) expect(probabilities.every(Number.isFinite)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

function entryOfWindow(): Json {
  return (headerOf(blob)['window'] as Json[])[0] ?? {};
}

/** The header with other inputs of the first speaker's statistics, or with one speaker more. */
function withStatistics(inputs: readonly unknown[], more?: string): string {
  const [first, ...rest] = statistics().speakers;
  const speakers = more === undefined ? [{ ...first, inputs }, ...rest] : [first, ...rest, { id: more, inputs }];
  return changed({ statistics: { ...statistics(), speakers } });
}

/** Every place in a JSON value, as the keys that lead there. */
function pathsOf(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [[key], ...pathsOf(inner).map((path) => [key, ...path])]);
}

function put(target: Json, path: readonly string[], value: unknown): void {
  const [key = '', ...rest] = path;
  if (rest.length === 0) target[key] = value;
  else put(target[key] as Json, rest, value);
}
