import { describe, expect, it } from 'vitest';

import type { InputSpec } from '../../src/model/config.ts';
import { MAX_SPEAKERS } from '../../src/model/incrementalContext.ts';
import { newStatistics, normaliseRows, withUtterance } from '../../src/model/normalisation.ts';
import { createSpeakerMemory, type SpeakerMemory } from '../../src/model/speakerMemory.ts';

const PITCH: InputSpec = { name: 'pitch', modality: 'audio', kind: 'vector', dim: 1, tokens: 1, speakerRelative: true };
const FACE: InputSpec = { ...PITCH, name: 'face', modality: 'face' };
const GLOBAL = { mean: Float32Array.of(0), scale: Float32Array.of(1) };

const open = (saved?: ReturnType<SpeakerMemory['save']>): SpeakerMemory => createSpeakerMemory(() => GLOBAL, saved);
const hear = (memory: SpeakerMemory, id: string, speaker: string, value: number, input = PITCH): number[] => [
  ...memory.normalise(id, speaker, input, Float32Array.of(value)),
];
const countOf = (memory: SpeakerMemory, speaker: string, input = 'pitch'): number | undefined =>
  memory.save().speakers.find(({ id }) => id === speaker)?.inputs[input]?.[0];

describe('createSpeakerMemory', () => {
  it('normalises by what was heard of this speaker before, not by the utterance itself.', () => {
    const memory = open();
    let statistics = newStatistics(1);
    for (const [i, value] of [2, 3, 1, 4].entries()) {
      const rows = normaliseRows(PITCH, Float32Array.of(value), GLOBAL, statistics);
      expect(hear(memory, `u${i}`, 'ann', value)).toEqual([...rows]);
      statistics = withUtterance(PITCH, rows, statistics);
    }
  });

  it('keeps speakers apart, and the inputs of one speaker too.', () => {
    const memory = open();
    const first = hear(memory, 'u0', 'ann', 3);
    expect(hear(memory, 'u1', 'ben', 3)).toEqual(first);
    expect(hear(memory, 'u0', 'ann', 3, FACE)).toEqual(first);
    expect(hear(memory, 'u2', 'ann', 3)).not.toEqual(first);
    expect([countOf(memory, 'ann'), countOf(memory, 'ben'), countOf(memory, 'ann', 'face')]).toEqual([2, 1, 1]);
  });

  it('answers a revision as it did the first time and counts it once, later utterances notwithstanding.', () => {
    const memory = open();
    hear(memory, 'u0', 'ann', 1);
    const first = hear(memory, 'u1', 'ann', 3);
    hear(memory, 'u2', 'ann', 5);
    const saved = memory.save();
    expect(hear(memory, 'u1', 'ann', 3)).toEqual(first);
    expect(memory.save()).toEqual(saved);
  });

  it('takes the last utterance back from a speaker when it turns out to be of another.', () => {
    const memory = open();
    hear(memory, 'u0', 'ann', 1);
    hear(memory, 'u1', 'ann', 4);
    const moved = hear(memory, 'u1', 'ben', 4);
    const known = open();
    hear(known, 'u0', 'ann', 1);
    expect(hear(known, 'u1', 'ben', 4)).toEqual(moved);
    expect([hear(memory, 'u2', 'ann', 2), hear(memory, 'u3', 'ben', 2)]).toEqual([
      hear(known, 'u2', 'ann', 2),
      hear(known, 'u3', 'ben', 2),
    ]);
  });

  it('counts an utterance for its new speaker even when the first one has been heard since.', () => {
    const memory = open();
    hear(memory, 'u0', 'ann', 4);
    hear(memory, 'u1', 'ann', 1);
    hear(memory, 'u0', 'ben', 4);
    expect([countOf(memory, 'ann'), countOf(memory, 'ben')]).toEqual([2, 1]);
    hear(memory, 'u0', 'ben', 4);
    expect(countOf(memory, 'ben')).toBe(1);
  });

  it('remembers what was before an utterance only until that is final.', () => {
    const memory = open();
    hear(memory, 'u0', 'ann', 1);
    hear(memory, 'u1', 'ann', 2);
    expect(memory.save().before.map(({ id }) => id)).toEqual(['u0', 'u1']);
    memory.forget('u0');
    memory.forget('never heard');
    expect(memory.save().before.map(({ id }) => id)).toEqual(['u1']);
  });

  it('forgets the speaker not heard for longest when there are too many.', () => {
    const memory = open();
    for (let i = 0; i < MAX_SPEAKERS; i++) hear(memory, `u${i}`, `s${i}`, 3);
    hear(memory, 'again', 's0', 3);
    hear(memory, 'new', 'late', 3);
    const ids = memory.save().speakers.map(({ id }) => id);
    expect(ids.length).toBe(MAX_SPEAKERS);
    expect(ids).not.toContain('s1');
    expect(ids.slice(-2)).toEqual(['s0', 'late']);
    expect(hear(memory, 'back', 's1', 3)).toEqual([3, 3]);
  });

  it('goes on after being saved as if it had not been, through JSON and for any name.', () => {
    const memory = open();
    const names = ['7', 'ann', '3', '__proto__', 'ann'];
    names.forEach((name, i) => hear(memory, `u${i}`, name, i));
    const resumed = open(JSON.parse(JSON.stringify(memory.save())) as ReturnType<SpeakerMemory['save']>);
    expect(resumed.save()).toEqual(memory.save());
    for (const name of names) expect(hear(resumed, 'next', name, 2)).toEqual(hear(memory, 'next', name, 2));
    expect(hear(resumed, 'u1', 'ann', 1)).toEqual(hear(memory, 'u1', 'ann', 1));
  });
});
