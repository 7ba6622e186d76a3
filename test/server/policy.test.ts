import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_SERVER_CONFIG, type LivePolicy } from '../../src/config.ts';
import { MODALITIES, type Modality, PRIVACY_MODES } from '../../src/domain/modality.ts';
import { EXCEPTIONS, type Purpose, PURPOSES } from '../../src/protocol/live.ts';
import { checkPurpose, decidePolicy, hearForWords, type PolicyQuestion } from '../../src/server/policy.ts';

const OPEN = DEFAULT_SERVER_CONFIG.policy;
const decide = (question: Partial<PolicyQuestion>): ReturnType<typeof decidePolicy> =>
  decidePolicy({ purpose: 'personal', exception: undefined, participant: { id: 'p' }, policy: OPEN, ...question });
/** A decision as one word per modality, in the order of text, audio, face, body. */
const wordsOf = (question: Partial<PolicyQuestion>): string => {
  const { modalities, refused } = decide(question);
  return MODALITIES.map((m) =>
    modalities.includes(m) ? 'yes' : refused.find(({ modality }) => modality === m)?.reason,
  ).join(' ');
};
const subset = fc.subarray<Modality>([...MODALITIES]);
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const questions = fc
  .record({
    purpose: optional(fc.constantFrom(...PURPOSES)),
    exception: optional(fc.constantFrom(...EXCEPTIONS)),
    role: optional(fc.constantFrom('agent', 'customer', '__proto__', 'constructor')),
    consent: optional(subset),
    roles: fc.dictionary(fc.constantFrom('agent', 'customer'), subset),
    default: subset,
    requireConsent: fc.boolean(),
    privacy: fc.constantFrom(...PRIVACY_MODES),
  })
  .map(({ purpose, exception, role, consent, ...policy }): PolicyQuestion => {
    const participant = { id: 'p', ...(role && { role }), ...(consent && { consent }) };
    return { purpose, exception, participant, policy };
  });

describe('what may be analyzed of a participant', () => {
  it.each<[Purpose | undefined, string, string]>(
    [undefined, ...PURPOSES].flatMap((purpose) => {
      const isProtected = purpose === 'workplace' || purpose === 'education';
      return [
        [purpose, 'none', isProtected ? 'yes privacy privacy privacy' : 'yes yes yes yes'],
        [purpose, 'medical', 'yes yes yes yes'],
        [purpose, 'safety', 'yes yes yes yes'],
      ] satisfies [Purpose | undefined, string, string][];
    }),
  )('for purpose %s with exception %s: %s', (purpose, name, words) => {
    expect(wordsOf({ purpose, exception: EXCEPTIONS.find((exception) => exception === name) })).toBe(words);
  });

  it.each<[string, boolean, readonly Modality[] | undefined, string]>([
    ['nobody asked', false, undefined, 'yes yes yes yes'],
    ['nobody asked and consent is required', true, undefined, 'consent consent consent consent'],
    ['they agreed to nothing', false, [], 'consent consent consent consent'],
    ['they agreed to text', false, ['text'], 'yes consent consent consent'],
    ['they agreed to voice and body', true, ['body', 'audio'], 'consent yes consent yes'],
    ['they agreed to everything', true, MODALITIES, 'yes yes yes yes'],
  ])('when %s (required: %s)', (_, requireConsent, consent, words) => {
    const participant = consent === undefined ? { id: 'p' } : { id: 'p', consent };
    expect(wordsOf({ participant, policy: { ...OPEN, requireConsent } })).toBe(words);
  });

  it.each<[string | undefined, string]>([
    ['agent', 'yes yes privacy privacy'],
    ['customer', 'privacy privacy privacy privacy'],
    ['visitor', 'yes privacy privacy privacy'],
    [undefined, 'yes privacy privacy privacy'],
    ['Agent', 'yes privacy privacy privacy'],
    ['constructor', 'yes privacy privacy privacy'],
    ['__proto__', 'yes privacy privacy privacy'],
    ['toString', 'yes privacy privacy privacy'],
  ])('for the role %s', (role, words) => {
    const policy: LivePolicy = { ...OPEN, roles: { agent: ['text', 'audio'], customer: [] }, default: ['text'] };
    expect(wordsOf({ participant: role === undefined ? { id: 'p' } : { id: 'p', role }, policy })).toBe(words);
  });

  it.each([
    ['none', 'yes yes yes yes'],
    ['no-face', 'yes yes privacy yes'],
    ['text-only', 'yes privacy privacy privacy'],
  ] as const)('in the privacy mode %s', (privacy, words) => {
    expect(wordsOf({ policy: { ...OPEN, privacy } })).toBe(words);
  });

  it('names privacy where both rules refuse, since no consent would change it', () => {
    const participant = { id: 'p', consent: [] };
    expect(wordsOf({ purpose: 'workplace', participant })).toBe('consent privacy privacy privacy');
  });

  it('is not opened by consent where the purpose forbids it', () => {
    expect(wordsOf({ purpose: 'education', participant: { id: 'p', consent: MODALITIES } })).toBe(
      'yes privacy privacy privacy',
    );
  });

  it('is allowed or refused, each modality once, and in order', () => {
    fc.assert(
      fc.property(questions, (question) => {
        const { modalities, refused } = decidePolicy(question);
        const sides = [...modalities, ...refused.map(({ modality }) => modality)];
        expect([...sides].sort()).toEqual([...MODALITIES].sort());
        expect(modalities).toEqual(MODALITIES.filter((m) => modalities.includes(m)));
      }),
    );
  });

  it('never holds what any single rule refuses', () => {
    fc.assert(
      fc.property(questions, (question) => {
        const { purpose, exception, participant, policy } = question;
        const { modalities } = decidePolicy(question);
        const isProtected = (purpose === 'workplace' || purpose === 'education') && exception === undefined;
        if (isProtected || policy.privacy === 'text-only') expect(MODALITIES.slice(1)).not.toContain(modalities.at(-1));
        if (policy.privacy === 'no-face') expect(modalities).not.toContain('face');
        if (participant.consent) expect(participant.consent).toEqual(expect.arrayContaining([...modalities]));
        if (policy.requireConsent && !participant.consent) expect(modalities).toEqual([]);
      }),
    );
  });

  it('never grows when a consent is taken back', () => {
    fc.assert(
      fc.property(questions, subset, (question, kept) => {
        const before = decidePolicy(question).modalities;
        const consent = (question.participant.consent ?? MODALITIES).filter((m) => kept.includes(m));
        const after = decidePolicy({ ...question, participant: { ...question.participant, consent } }).modalities;
        if (question.participant.consent || !question.policy.requireConsent)
          expect(before).toEqual(expect.arrayContaining([...after]));
        expect(consent).toEqual(expect.arrayContaining([...after]));
      }),
    );
  });
});

describe('the purpose of a session', () => {
  it.each(PURPOSES)('may be %s when the policy names none', (purpose) => {
    expect(() => checkPurpose(purpose, OPEN)).not.toThrow();
    expect(() => checkPurpose(undefined, OPEN)).not.toThrow();
  });

  it.each<[Purpose | undefined, string]>([
    ['workplace', 'the purpose workplace is not allowed; allowed: telehealth, research'],
    [undefined, 'a session must state its purpose; allowed: telehealth, research'],
  ])('is refused when it is %s and others are allowed', (purpose, message) => {
    expect(() => checkPurpose(purpose, { ...OPEN, allowedPurposes: ['telehealth', 'research'] })).toThrow(
      expect.objectContaining({ code: 'PURPOSE_REFUSED', message }),
    );
  });

  it('passes when it is among those that are allowed', () => {
    expect(() => checkPurpose('research', { ...OPEN, allowedPurposes: ['telehealth', 'research'] })).not.toThrow();
  });
});

describe('hearing sound for its words', () => {
  it('is for sound that the policy rules out, of those whose words may be analyzed', () => {
    const forWords = (question: Partial<PolicyQuestion>): unknown => hearForWords(decide(question)).isHeardForWords;
    expect(forWords({ purpose: 'workplace' })).toBe(true);
    expect(forWords({})).toBeUndefined();
    expect(forWords({ participant: { id: 'p', consent: ['text'] } })).toBeUndefined();
    expect(forWords({ purpose: 'workplace', participant: { id: 'p', consent: [] } })).toBeUndefined();
  });
});
