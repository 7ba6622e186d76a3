import { describe, expect, it } from 'vitest';
import { createBoard } from '../../src/dashboard/board.ts';
import type { ModalityInsight, UtteranceInsight } from '../../src/domain/insight.ts';

const ADA = { id: 'Ada', name: 'Ada', source: 'track' } as const;
const utterance = (n: number, revision: number, label = 'neutral'): UtteranceInsight => ({
  type: 'utterance',
  seq: n,
  atMs: 0,
  utteranceId: `u${n}`,
  status: 'revised',
  revision,
  speaker: ADA,
  startMs: n * 1_000,
  endMs: n * 1_000 + 500,
  text: null,
  label,
  confidence: 0.5,
  probabilities: { neutral: 0.5, joy: 0.5 },
  modalityWeights: { text: 0, audio: 1, face: 0, body: 0 },
  availability: { text: { share: 0 }, audio: { share: 1 }, face: { share: 0 }, body: { share: 0 } },
  lookAhead: 0,
  latencyMs: 0,
  computeMs: 0,
});
const modality = (state: 'present' | 'absent', more: Partial<ModalityInsight> = {}): ModalityInsight => ({
  type: 'modality',
  seq: 1,
  atMs: 0,
  modality: 'face',
  state,
  ...more,
});

describe('the board', () => {
  it('has the latest answer about each utterance, the newest first', () => {
    const board = createBoard(10);
    expect(board.take(utterance(1, 0))).toBe('u1');
    expect(board.take(utterance(2, 0))).toBe('u2');
    expect(board.take(utterance(1, 1, 'joy'))).toBe('u1');
    expect(board.utterances.map(({ utteranceId, label }) => [utteranceId, label])).toEqual([
      ['u2', 'neutral'],
      ['u1', 'joy'],
    ]);
  });

  it('does not go back to an answer that was revised', () => {
    const board = createBoard(10);
    board.take(utterance(1, 3, 'joy'));
    expect(board.take(utterance(1, 2))).toBeUndefined();
    expect(board.utterances[0]?.label).toBe('joy');
  });

  it('forgets the oldest utterances past its bound', () => {
    const board = createBoard(2);
    for (const n of [3, 1, 2, 4]) board.take(utterance(n, 0));
    expect(board.utterances.map(({ utteranceId }) => utteranceId)).toEqual(['u4', 'u3']);
  });

  it('tells what was said last of a modality of someone, or else of everybody', () => {
    const board = createBoard(2);
    expect(board.presenceOf('face', 'Ada')).toBeUndefined();
    board.take(modality('absent', { reason: 'no_video' }));
    expect(board.presenceOf('face', 'Ada')).toMatchObject({ state: 'absent', reason: 'no_video' });
    expect(board.take(modality('present', { speaker: ADA }))).toBeUndefined();
    expect(board.presenceOf('face', 'Ada')).toMatchObject({ state: 'present' });
    expect(board.presenceOf('face', 'Ben')).toMatchObject({ state: 'absent' });
    expect(board.presenceOf('body', 'Ada')).toBeUndefined();
  });
});
