import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { brokenRuleOf } from '../../src/protocol/brokenRule.ts';

const SECRET = 'my password is 1234';
const schema = z.strictObject({
  purpose: z.enum(['meeting', 'coaching']).exactOptional(),
  rate: z.int().min(8_000).max(48_000).exactOptional(),
  share: z.number().gt(0).lt(1).exactOptional(),
  names: z.array(z.string().min(1)).max(2).exactOptional(),
  labels: z.record(z.string(), z.number()).exactOptional(),
  even: z
    .number()
    .refine((n) => n % 2 === 0, { params: { rule: 'is_even' } })
    .exactOptional(),
  odd: z
    .number()
    .refine((n) => n % 2 === 1)
    .exactOptional(),
  id: z
    .string()
    .regex(/^[a-z]+$/)
    .exactOptional(),
  many: z.enum(Array.from({ length: 33 }, (_, i) => `v${i}`)).exactOptional(),
});
const ruleOf = (value: unknown): string => {
  const parsed = schema.safeParse(value);
  return parsed.success ? 'ok' : brokenRuleOf(parsed.error, new Set(['labels']));
};

describe('brokenRuleOf', () => {
  it.each([
    ['purpose: invalid_value, one of meeting, coaching', { purpose: SECRET }],
    ['rate: too_small, at least 8000', { rate: 1 }],
    ['rate: too_big, at most 48000', { rate: 96_000 }],
    ['rate: invalid_type, expected int', { rate: 8_000.5 }],
    ['share: too_small, more than 0', { share: 0 }],
    ['share: too_big, less than 1', { share: 1 }],
    ['names: too_big, at most 2', { names: ['a', 'b', 'c'] }],
    ['names.1: too_small, at least 1', { names: ['a', ''] }],
    ['names: invalid_type, expected array', { names: SECRET }],
    ['even: is_even', { even: 1 }],
    ['odd: custom', { odd: 2 }],
    ['id: invalid_format', { id: SECRET }],
    ['many: invalid_value', { many: SECRET }],
    ['message: unrecognized_keys', { [SECRET]: 1 }],
    ['message: invalid_type, expected object', SECRET],
    ['labels.*: invalid_type, expected number', { labels: { [SECRET]: 'x' } }],
  ])('says %s', (rule, value) => {
    expect(ruleOf(value)).toBe(rule);
  });

  it('says which types of message there are', () => {
    const message = z.discriminatedUnion('type', [
      z.object({ type: z.literal('ping') }),
      z.object({ type: z.literal('bye') }),
    ]);
    const { error } = message.safeParse({ type: SECRET });
    expect(error && brokenRuleOf(error)).toBe('type: invalid_union, one of ping, bye');
  });

  it('names no values where a union has no type to tell by', () => {
    const { error } = z.union([z.string(), z.boolean()]).safeParse(1);
    expect(error && brokenRuleOf(error)).toBe('message: invalid_union');
  });

  it('is something even for an error without an issue', () => {
    expect(brokenRuleOf(new z.ZodError([]))).toBe('message: unknown rule');
  });
});
