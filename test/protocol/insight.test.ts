import fc from 'fast-check';
import { MISSING_REASONS } from '../../src/domain/modality.ts';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Insight } from '../../src/domain/insight.ts';
import {
  decodeInsight,
  encodeInsight,
  MAX_LINE_CHARS,
  PROTOCOL_VERSION,
  type DecodedInsight,
} from '../../src/protocol/insight.ts';
import { roundInsight } from '../../src/protocol/rounding.ts';
import { modalityInsight, sampleSession, sampleUtterance } from '../support/sampleInsights.ts';
import { anyInsight } from './arbitraryInsight.ts';

const wireOf = (insight: Insight): Record<string, unknown> =>
  JSON.parse(encodeInsight(insight)) as Record<string, unknown>;
const ruleOf = (line: unknown): string | undefined => {
  const decoded = decodeInsight(line);
  return decoded.ok ? undefined : decoded.rule;
};

describe('encodeInsight', () => {
  it('writes one JSON object on one line with the protocol version first', () => {
    const line = encodeInsight(
      modalityInsight({ atMs: 12.6, modality: 'text', state: 'absent', reason: 'no_captions' }),
    );
    expect(line).toBe(
      '{"v":1,"type":"modality","seq":1,"atMs":13,"modality":"text","state":"absent","reason":"no_captions"}',
    );
  });

  it('keeps a text with line breaks on one line', () => {
    const line = encodeInsight(sampleUtterance({ text: 'one\ntwo\r\nthree\u2028four' }));
    expect(line.split(/\r?\n/)).toHaveLength(1);
    expect(decodeInsight(line)).toMatchObject({ ok: true, insight: { text: 'one\ntwo\r\nthree\u2028four' } });
  });

  it('refuses an insight that breaks a rule and says which, without its text', () => {
    const secret = 'what nobody should read';
    expect(() => encodeInsight(sampleUtterance({ text: secret, endMs: 10 }))).toThrow(/endMs: not_before_startMs$/);
    expect(() => encodeInsight(sampleUtterance({ text: secret, seq: 0 }))).toThrow(/seq: too_small, at least 1$/);
    expect(() =>
      encodeInsight(sampleUtterance({ text: secret, label: 'bliss', confidence: 0.5, probabilities: { joy: 1 } })),
    ).toThrow(/label: has_a_probability$/);
  });
});

describe('decodeInsight', () => {
  it('gives back every insight as it was rounded for the wire', () => {
    fc.assert(
      fc.property(anyInsight, (insight) => {
        expect(decodeInsight(encodeInsight(insight))).toEqual({ ok: true, insight: roundInsight(insight) });
      }),
      { numRuns: 300 },
    );
  });

  it('reads every line of a whole session in order', () => {
    const lines = sampleSession().map(encodeInsight);
    const decoded = lines.map(decodeInsight);
    expect(decoded.every(({ ok }) => ok)).toBe(true);
    expect(decoded.map((one) => one.ok && one.insight.seq)).toEqual(lines.map((_, index) => index + 1));
  });

  it('never throws, whatever JSON or other value arrives', () => {
    const answers = (value: unknown): void => {
      expect(decodeInsight(value)).toHaveProperty('ok');
    };
    fc.assert(fc.property(fc.json(), answers));
    fc.assert(fc.property(fc.anything(), answers));
    fc.assert(fc.property(fc.string({ unit: 'binary' }), answers));
  });

  it('never throws on a message of ours in which any one field was replaced', () => {
    fc.assert(
      fc.property(anyInsight, fc.nat(), fc.jsonValue(), (insight, at, value) => {
        const wire = wireOf(insight);
        const keys = Object.keys(wire);
        wire[keys[at % keys.length] ?? 'v'] = value;
        const decoded = decodeInsight(JSON.stringify(wire));
        expect(decoded.ok || decoded.rule.length > 0).toBe(true);
      }),
    );
  });

  it('ignores fields it does not know, because a later minor change may add some', () => {
    const wire = { ...wireOf(sampleUtterance()), mood: 'sunny' };
    expect(decodeInsight(wire)).toEqual({ ok: true, insight: roundInsight(sampleUtterance()) });
  });

  it('names the rule a message breaks', () => {
    const wire = wireOf(sampleUtterance());
    expect(ruleOf('{')).toBe('a line holds one JSON object');
    expect(ruleOf([wire])).toBe('a line holds one JSON object');
    expect(ruleOf({ ...wire, v: '1' })).toBe('v: a protocol version is a whole number');
    expect(ruleOf({ ...wire, v: PROTOCOL_VERSION + 1 })).toBe('v: only version 1 is understood');
    expect(ruleOf({ ...wire, type: 'weather' })).toMatch(/^type: invalid_union, one of session, interim, utterance, /);
    expect(ruleOf({ ...wire, status: 'done' })).toBe('status: invalid_value, one of provisional, revised, final');
    expect(ruleOf({ ...wire, startMs: 1.5 })).toBe('startMs: invalid_type, expected int');
    expect(ruleOf({ ...wire, probabilities: { joy: 0.7 } })).toBe('probabilities: sums_to_1');
    expect(ruleOf({ ...wire, modalityWeights: { text: 0.5, audio: 0, face: 0, body: 0 } })).toBe(
      'modalityWeights: sums_to_1_or_all_0',
    );
    expect(ruleOf({ ...wire, availability: { text: { share: 0, reason: 'tired' } } })).toBe(
      `availability.text.reason: invalid_value, one of ${MISSING_REASONS.join(', ')}`,
    );
  });

  it('keeps keys that a peer chose out of the rule', () => {
    const wire = wireOf(sampleUtterance());
    expect(ruleOf({ ...wire, probabilities: { 'my password is 1234': 'x' } })).toBe(
      'probabilities.*: invalid_type, expected number',
    );
  });

  it('does not let a peer set the prototype of what it returns', () => {
    const line = encodeInsight(sampleUtterance()).replace(
      '"probabilities":{',
      '"probabilities":{"__proto__":{"polluted":1},',
    );
    const decoded = decodeInsight(line);
    expect(decoded.ok && decoded.insight.type === 'utterance' && 'polluted' in decoded.insight.probabilities).toBe(
      false,
    );
    expect('polluted' in {}).toBe(false);
  });

  it('refuses a line above the limit without parsing it', () => {
    expect(ruleOf(`{"v":1,"pad":"${' '.repeat(MAX_LINE_CHARS)}"}`)).toBe('a line is too long');
  });
});

describe('the types of the protocol', () => {
  it('make decoding give the same type that encoding takes', () => {
    type Decoded = Extract<DecodedInsight, { ok: true }>['insight'];
    expectTypeOf<Decoded>().toEqualTypeOf<Insight>();
    expectTypeOf(encodeInsight).parameter(0).toEqualTypeOf<Insight>();
  });

  it('make the caller look at ok before reading an insight or a rule', () => {
    const decoded = decodeInsight('{}');
    // @ts-expect-error the insight exists only when ok is true
    expect(decoded.insight).toBeUndefined();
  });
});
