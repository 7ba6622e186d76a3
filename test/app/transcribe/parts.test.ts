import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBreaker } from '../../../src/app/transcribe/breaker.ts';
import { createGate } from '../../../src/app/transcribe/gate.ts';
import { createLabels } from '../../../src/app/transcribe/labels.ts';
import { createPool } from '../../../src/app/transcribe/pool.ts';
import { createSoundMap } from '../../../src/app/transcribe/soundMap.ts';
import { createUnfinished } from '../../../src/app/transcribe/unfinished.ts';
import { createFakeRecognizer } from '../../support/fakeRecognizer.ts';
import { voiceOf } from '../../support/spokenCall.ts';

describe('createBreaker', () => {
  it('leaves alone what failed, twice as long each time, up to a limit', () => {
    const breaker = createBreaker({ baseMs: 1_000, maxMs: 3_000 });
    expect(breaker.isAvailable(0)).toBe(true);
    breaker.failed(0);
    expect([breaker.isAvailable(999), breaker.isAvailable(1_000)]).toEqual([false, true]);
    breaker.failed(1_000);
    expect([breaker.isAvailable(2_999), breaker.isAvailable(3_000)]).toEqual([false, true]);
    breaker.failed(3_000);
    expect([breaker.isAvailable(5_999), breaker.isAvailable(6_000)]).toEqual([false, true]);
  });

  it('counts from the beginning once it worked', () => {
    const breaker = createBreaker({ baseMs: 1_000, maxMs: 3_000 });
    breaker.failed(0);
    breaker.failed(0);
    breaker.worked();
    breaker.failed(10_000);
    expect(breaker.isAvailable(11_000)).toBe(true);
  });

  it('never comes back from what failed for good', () => {
    const breaker = createBreaker();
    breaker.failed(0, true);
    expect(breaker.isAvailable(Number.MAX_SAFE_INTEGER)).toBe(false);
  });
});

describe('createPool', () => {
  it('takes the first that is fit and works', () => {
    const [a, b] = [createFakeRecognizer('a'), createFakeRecognizer('b', undefined, { languages: 'any' })];
    const pool = createPool([a, b]);
    expect(pool.choose({}, 0)?.recognizer).toBe(a);
    expect(pool.choose({ language: 'en-GB' }, 0)?.recognizer).toBe(a);
    expect(pool.choose({ language: 'fr' }, 0)?.recognizer).toBe(b);
    pool.choose({}, 0)?.breaker.failed(0);
    expect(pool.choose({}, 0)?.recognizer).toBe(b);
    expect(pool.choose({}, 5_000)?.recognizer).toBe(a);
  });

  it('has none for a rate below all that they are made for', () => {
    const pool = createPool([createFakeRecognizer('wide', undefined, { sampleRatesHz: [48_000, 16_000] })]);
    expect(pool.choose({ sourceRateHz: 8_000 }, 0)).toBeUndefined();
    expect(pool.choose({ sourceRateHz: 22_050 }, 0)).toBeDefined();
  });
});

describe('createSoundMap', () => {
  it('puts what was heard back where it was said, across what was left out', () => {
    const map = createSoundMap();
    map.add(1_000, 500);
    map.add(4_000, 250);
    map.add(4_250, 250);
    expect([map.toSessionMs(0, false), map.toSessionMs(499, false), map.toSessionMs(600, false)]).toEqual([
      1_000, 1_499, 4_100,
    ]);
    expect([map.toSessionMs(500, true), map.toSessionMs(500, false)]).toEqual([1_500, 4_000]);
    expect(map.toSessionMs(9_000, true)).toBe(4_500);
  });

  it('knows no time before it was given anything', () => {
    expect(createSoundMap().toSessionMs(100, false)).toBe(0);
  });
});

describe('createUnfinished', () => {
  const sound = (startMs: number, lengthMs: number) => ({
    type: 'sound' as const,
    startMs,
    samples: new Float32Array(lengthMs * 16),
  });

  it('gives the next recognizer everything since the last final, and nothing before it', () => {
    const unfinished = createUnfinished(10_000);
    for (const entry of [sound(0, 1_000), { type: 'finalize' as const }, sound(2_000, 1_000)]) unfinished.push(entry);
    while (unfinished.next());
    unfinished.finished(900);
    unfinished.rewind();
    const again = [unfinished.next(), unfinished.next(), unfinished.next()];
    expect(again.map((entry) => entry?.type)).toEqual(['sound', 'finalize', 'sound']);
    expect(again[0]).toMatchObject({ startMs: 900 });
    unfinished.finished(1_000);
    unfinished.rewind();
    expect(unfinished.next()).toMatchObject({ startMs: 2_000 });
  });

  it('forgets nothing that was not given yet', () => {
    const unfinished = createUnfinished(10_000);
    unfinished.push(sound(0, 1_000));
    unfinished.finished(5_000);
    expect(unfinished.next()).toMatchObject({ startMs: 0 });
    unfinished.answered();
    expect(unfinished.next()).toBeUndefined();
  });

  it('lets the oldest sound go when there is too much, and says how much', () => {
    const unfinished = createUnfinished(2_000);
    expect([0, 1, 2, 3].map((second) => unfinished.push(sound(second * 1_000, 1_000)))).toEqual([0, 0, 1_000, 1_000]);
    expect(unfinished.next()).toMatchObject({ startMs: 2_000 });
  });
});

describe('createGate', () => {
  const wordsIn = fc.array(fc.nat(9), { minLength: 1, maxLength: 40 });

  it('lets every frame of speech through, once and in order, whatever is said', () => {
    fc.assert(
      fc.property(wordsIn, (words) => {
        const gate = createGate();
        const entries = [...voiceOf(words).flatMap((voice) => gate.hear(voice)), ...gate.end()];
        let untilMs = 0;
        let speechMs = 0;
        for (const entry of entries) {
          if (entry.type !== 'sound') continue;
          expect(entry.startMs).toBeGreaterThanOrEqual(untilMs - 0.001);
          untilMs = entry.startMs + entry.samples.length / 16;
          speechMs += entry.samples.filter((sample) => sample > 0).length / 16;
        }
        expect(speechMs).toBeCloseTo(words.filter((word) => word > 0).length * 250, 3);
      }),
    );
  });

  it('asks for a final after 300 ms of pause', () => {
    const gate = createGate();
    const at = voiceOf([0, 1, 2, 0, 0]).find((voice) => gate.hear(voice).some(({ type }) => type === 'finalize'));
    expect(at?.arrivalMs).toBe(1_050);
  });

  it('asks for a final in speech without an end, at the first moment that is quiet', () => {
    const gate = createGate();
    const voices = voiceOf([...Array<number>(60).fill(5), 0]);
    const finals = voices.filter((voice) => gate.hear(voice).some(({ type }) => type === 'finalize'));
    expect(finals[0]?.startMs).toBe(15_000);
  });
});

describe('createLabels', () => {
  it('gives each label one speaker for good, and stops counting at 512', () => {
    const labels = createLabels();
    expect(['x', 'y', 'x'].map((label) => labels.speakerOf(label).name)).toEqual(['S1', 'S2', 'S1']);
    for (let label = 0; label < 1_000; label++) labels.speakerOf(String(label));
    expect(labels.speakerOf('another').name).toBe('S512');
  });
});
