import { describe, expect, it } from 'vitest';

import { isUndertoneError } from '../../src/errors.ts';
import { DEFAULT_SHAPE, modeOf, parseModelConfig, rowWidth } from '../../src/model/config.ts';
import { TINY } from '../support/tinyModel.ts';

const FACE = TINY.inputs[3];
const withInput = (change: Record<string, unknown>): unknown => ({ ...TINY, inputs: [{ ...FACE, ...change }] });

function refusalOf(value: unknown): string | undefined {
  try {
    parseModelConfig(value);
    return undefined;
  } catch (error) {
    if (isUndertoneError(error) && error.code === 'BAD_WEIGHTS') return error.message;
    throw error;
  }
}

describe('parseModelConfig', () => {
  it('accepts the tiny shape and the one that ships, also after a journey through JSON.', () => {
    expect(parseModelConfig(JSON.parse(JSON.stringify(TINY)))).toEqual(TINY);
    const { labels, inputs, vocabulary, prior } = TINY;
    expect(refusalOf({ ...DEFAULT_SHAPE, labels, inputs, vocabulary, prior })).toBeUndefined();
  });

  it.each([undefined, null, 3, 'config', true])('refuses %s, which is no object.', (value) => {
    expect(refusalOf(value)).toMatch(/not an object/);
  });

  it.each<[string, unknown, RegExp]>([
    ['format', 2, /format must be 1, got 2/],
    ['format', undefined, /format must be 1/],
    ['width', 12, /multiple of heads and of 8/],
    ['width', 7, /width must be a whole number from 8 to 1024/],
    ['width', 2048, /width must be/],
    ['width', '16', /width must be/],
    ['width', NaN, /width must be/],
    ['heads', 3, /multiple of heads/],
    ['heads', 0, /heads must be/],
    ['layers', 13, /layers must be/],
    ['layers', 1.5, /layers must be/],
    ['feedForward', 1e6, /feedForward must be/],
    ['contextHidden', 6, /contextHidden must be a multiple of 4/],
    ['contextHidden', 0, /contextHidden must be/],
    ['headHidden', -1, /headHidden must be/],
    ['reflections', 0, /reflections must be/],
    ['lookAhead', 65, /lookAhead must be/],
    ['lookAhead', -1, /lookAhead must be/],
    ['buckets', 2 ** 21, /buckets must be/],
    ['temperature', 0, /temperature must be/],
    ['temperature', Infinity, /temperature must be/],
    ['temperature', NaN, /temperature must be/],
    ['temperature', '1', /temperature must be/],
    ['labels', ['joy'], /labels must be/],
    ['labels', ['joy', 'joy', 'anger'], /labels must be/],
    ['labels', ['joy', '', 'anger'], /labels must be/],
    ['labels', ['joy', 4, 'anger'], /labels must be/],
    ['labels', ['joy', 'x'.repeat(201), 'anger'], /labels must be/],
    ['labels', 'joy', /labels must be/],
    ['prior', [0.5, 0.5], /prior must hold/],
    ['prior', [0.5, 0.5, 0.5], /prior must hold/],
    ['prior', [1.5, -0.25, -0.25], /prior must hold/],
    ['prior', [NaN, 0.5, 0.5], /prior must hold/],
    ['prior', undefined, /prior must hold/],
    ['vocabulary', ['no', 'no'], /vocabulary must be/],
    ['vocabulary', [1], /vocabulary must be/],
    ['vocabulary', {}, /vocabulary must be/],
    ['inputs', [], /inputs must be 1 to 32/],
    ['inputs', [null], /inputs must be/],
    ['inputs', new Array(33).fill(FACE), /inputs must be/],
    ['inputs', [FACE, FACE], /distinct names/],
    ['inputs', {}, /inputs must be/],
  ])('refuses %s = %j and names the rule.', (field, value, rule) => {
    expect(refusalOf({ ...TINY, [field]: value })).toMatch(rule);
  });

  it.each<[string, unknown]>([
    ['name', ''],
    ['name', 'fa ce'],
    ['name', '../face'],
    ['name', 'x'.repeat(65)],
    ['name', 3],
    ['modality', 'smell'],
    ['modality', 'visual'],
    ['kind', 'matrix'],
    ['kind', 'tokens'],
    ['dim', 0],
    ['dim', -1],
    ['dim', 1.5],
    ['dim', 65_537],
    ['tokens', 0],
    ['tokens', 513],
    ['speakerRelative', 1],
    ['speakerRelative', undefined],
  ])('refuses an input whose %s is %j.', (field, value) => {
    expect(refusalOf(withInput({}))).toBeUndefined();
    expect(refusalOf(withInput({ [field]: value }))).toMatch(/inputs must be 1 to 32 valid inputs/);
  });

  it('takes words as the one input that has no numbers, and sentence vectors as text that has.', () => {
    expect(refusalOf(withInput({ modality: 'text', kind: 'tokens', dim: 0 }))).toBeUndefined();
    expect(refusalOf(withInput({ modality: 'text', kind: 'tokens', dim: 4 }))).toBeDefined();
    expect(refusalOf(withInput({ modality: 'text', kind: 'vector', dim: 768 }))).toBeUndefined();
    expect(refusalOf(withInput({ modality: 'audio', kind: 'tokens', dim: 0 }))).toBeDefined();
  });
});

describe('modeOf', () => {
  it('joins face and body to the visual mode.', () => {
    expect((['text', 'audio', 'face', 'body'] as const).map(modeOf)).toEqual(['text', 'audio', 'visual', 'visual']);
  });
});

describe('rowWidth', () => {
  it('is twice the dimension for an input that is also seen relative to its speaker.', () => {
    expect(TINY.inputs.map(rowWidth)).toEqual([0, 16, 4, 5, 3]);
  });
});
