import { describe, expect, it } from 'vitest';
import { createLastingAnswers } from '../../src/domain/lastingAnswers.ts';

describe('createLastingAnswers', () => {
  it('takes the final answer to stay, and what revises it later, but nothing before', () => {
    const answers = createLastingAnswers();
    const stays = (['provisional', 'revised', 'final', 'revised', 'revised'] as const).map((status) =>
      answers.isLasting({ utteranceId: 'u1', status }),
    );
    expect(stays).toEqual([false, false, true, true, true]);
    expect(answers.isLasting({ utteranceId: 'u2', status: 'revised' })).toBe(false);
  });

  it('forgets what is long final', () => {
    const answers = createLastingAnswers();
    for (let n = 0; n <= 256; n++) answers.isLasting({ utteranceId: `u${n}`, status: 'final' });
    expect(answers.isLasting({ utteranceId: 'u0', status: 'revised' })).toBe(false);
    expect(answers.isLasting({ utteranceId: 'u1', status: 'revised' })).toBe(true);
  });
});
