import { map, timer, firstValueFrom, from, toArray, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MODALITIES, perModality, type Modality } from '../../src/domain/modality.ts';
import type { Prediction } from '../../src/domain/utterance.ts';
import { classify, DEFAULT_CLASSIFICATION, type Classified } from '../../src/operators/classify.ts';
import type { UtteranceDraft } from '../../src/operators/predictions.ts';
import type { Signal, UtteranceMeasured } from '../../src/operators/signal.ts';
import { isUndertoneError } from '../../src/errors.ts';
import { createFakeModel, type FakeModel } from '../support/fakeModel.ts';
import { ADA, BEN } from '../support/scriptedCall.ts';
import { describeOperator, marbles, outputOf } from './operatorContract.ts';

function create(model: FakeModel = createFakeModel(), settings = {}) {
  return classify({ model, now: () => 0, settings: { ...DEFAULT_CLASSIFICATION, ...settings } });
}
function measured(
  id: string,
  text: string | null,
  more: Partial<UtteranceMeasured> & { speaker?: typeof ADA } = {},
): UtteranceMeasured {
  const { speaker = ADA, ...rest } = more;
  const endMs = Number(id.slice(1)) * 1_000;
  const record = { utterance: { id, speaker, startMs: endMs - 800, endMs }, streamId: 'a', overlaps: [], text };
  const share = text === null ? ({ share: 0, reason: 'no_captions' } as const) : { share: 1 };
  const availability = { ...perModality(() => ({ share: 1 })), text: share };
  const evidence = { availability, ...(text !== null && { text }) };
  return { type: 'utteranceMeasured', arrivalMs: endMs + 500, isNew: true, record, evidence, ...rest };
}
const again = (id: string, text: string, arrivalMs: number, speaker = ADA): UtteranceMeasured =>
  measured(id, text, { isNew: false, arrivalMs, speaker });
/** `u1 provisional 0 joy`, `ended 500`. */
const line = (out: Classified): string => {
  if (out.type === 'utterance') return `${out.utteranceId} ${out.status} ${out.revision} ${out.label}`;
  return out.type === 'sessionEnded' ? `ended ${out.arrivalMs}` : out.type;
};
const story = (signals: readonly Signal[], model?: FakeModel, settings = {}): string[] =>
  outputOf(create(model, settings), signals).map(line);
const answers = (signals: readonly Signal[], model?: FakeModel): UtteranceDraft[] =>
  outputOf(create(model), signals).filter((out) => out.type === 'utterance');
async function lines(out$: Observable<Classified>): Promise<string[]> {
  return (await firstValueFrom(out$.pipe(toArray()))).map(line);
}

describeOperator('classify', () => create(), { type: 'sessionEnded', arrivalMs: 0 });

describe('classify', () => {
  it('answers at once, revises what changed and makes final what has seen two later utterances.', () => {
    expect(story([measured('u1', 'great'), measured('u2', 'awful'), measured('u3', 'awful')])).toEqual([
      'u1 provisional 0 joy',
      'u1 revised 1 joy',
      'u2 provisional 0 anger',
      'u1 final 2 joy',
      'u2 revised 1 anger',
      'u3 provisional 0 anger',
      'u2 final 2 anger',
      'u3 final 1 anger',
      'ended 3500',
    ]);
  });

  it('says nothing again when no probability moved by more than 0.02.', () => {
    const still: FakeModel = { ...createFakeModel(), revise: () => [] };
    const moved = (by: number): string[] => {
      const predictions = (p: number): Prediction => ({
        utteranceId: 'u1',
        lookAhead: 0,
        isFinal: false,
        probabilities: [p, 1 - p, 0],
        weights: perModality(() => 0.25),
      });
      const model: FakeModel = {
        ...still,
        add: () => [predictions(0.6)],
        revise: () => [predictions(0.6 + by)],
        finish: () => [],
      };
      return story([measured('u1', 'x'), again('u1', 'x', 2_000)], model);
    };
    expect(moved(0.019)).toEqual(['u1 provisional 0 neutral', 'ended 2000']);
    expect(moved(0.021)).toEqual(['u1 provisional 0 neutral', 'u1 revised 1 neutral', 'ended 2000']);
    expect(moved(-0.2)).toEqual(['u1 provisional 0 neutral', 'u1 revised 1 joy', 'ended 2000']);
  });

  it('revises when only text, speaker or availability changed.', () => {
    expect(story([measured('u1', null), again('u1', 'x', 2_000), again('u1', 'x', 3_000, BEN)]).slice(0, 3)).toEqual([
      'u1 provisional 0 neutral',
      'u1 revised 1 neutral',
      'u1 revised 2 neutral',
    ]);
    const muted = measured('u1', 'x', { isNew: false, arrivalMs: 2_000 });
    const overlap = { ...muted.evidence.availability, audio: { share: 0.5, reason: 'overlap' as const } };
    const less = { ...muted, evidence: { ...muted.evidence, availability: overlap } };
    expect(story([measured('u1', 'x'), muted, less]).slice(0, 2)).toEqual([
      'u1 provisional 0 neutral',
      'u1 revised 1 neutral',
    ]);
  });

  it('gives each answer its label, confidence, probabilities, weights and latency.', () => {
    const [answer] = answers([measured('u1', 'great')]);
    const probabilities = Object.values(answer?.probabilities ?? {});
    expect(Object.keys(answer?.probabilities ?? {})).toEqual(['neutral', 'joy', 'anger']);
    expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
    expect(answer?.confidence).toBe(Math.max(...probabilities));
    expect(answer).toMatchObject({
      label: 'joy',
      latencyMs: 500,
      lookAhead: 0,
      computeMs: 0,
      text: 'great',
      atMs: 1_500,
    });
    expect(MODALITIES.map((modality) => answer?.modalityWeights[modality])).toEqual([1, 0, 0, 0]);
  });

  it('answers provisionally and finally at once when the model looks at nothing later.', () => {
    expect(story([measured('u1', 'x'), measured('u2', 'x')], createFakeModel({ lookAhead: 0 }))).toEqual([
      'u1 provisional 0 neutral',
      'u1 final 1 neutral',
      'u2 provisional 0 neutral',
      'u2 final 1 neutral',
      'ended 2500',
    ]);
  });

  it('attaches text that comes after the final answer, with the same prediction, and does not ask the model.', () => {
    const model = createFakeModel({ lookAhead: 0 });
    const [, final, late, none] = answers(
      [measured('u1', null), again('u1', 'late', 9_000), again('u1', 'late', 9_500)],
      model,
    );
    expect(late).toEqual({
      ...final,
      status: 'revised',
      text: 'late',
      revision: 2,
      atMs: 9_000,
      latencyMs: 8_000,
      computeMs: 0,
      availability: { ...final?.availability, text: { share: 0, reason: 'late_text' } },
    });
    expect(none).toBeUndefined();
    expect(model.calls.map(({ call }) => call)).toEqual(['add', 'finish']);
  });

  it('says which share of a text that grew the model had seen.', () => {
    const grown = answers(
      [measured('u1', 'abcd'), again('u1', 'abcd efg', 9_000)],
      createFakeModel({ lookAhead: 0 }),
    ).at(-1);
    expect(grown?.availability.text).toEqual({ share: 0.5, reason: 'late_text' });
  });

  it('tells a late speaker too.', () => {
    const last = answers([measured('u1', 'x'), again('u1', 'x', 9_000, BEN)], createFakeModel({ lookAhead: 0 })).at(-1);
    expect(last).toMatchObject({ status: 'revised', revision: 2, speaker: BEN, availability: { text: { share: 1 } } });
  });

  it('forgets what is long final: late words for it are not told.', () => {
    const many = Array.from({ length: 400 }, (_, n) => measured(`u${n + 1}`, null));
    const model = createFakeModel({ lookAhead: 0 });
    expect(answers([...many, again('u1', 'late', 999_000)], model)).toHaveLength(800);
    expect(answers([...many, again('u399', 'late', 999_000)], createFakeModel({ lookAhead: 0 }))).toHaveLength(801);
  });

  it('keeps modality changes, faults and dropped words in their places.', () => {
    const change: Signal = { type: 'modalityChanged', arrivalMs: 1, modality: 'text', state: 'present', speaker: ADA };
    const fault: Signal = { type: 'fault', arrivalMs: 2, code: 'DECODE_ERROR', message: 'half a frame', streamId: 'a' };
    const dropped: Signal = { type: 'wordsDropped', arrivalMs: 3, count: 2 };
    expect(
      outputOf(create(), [change, measured('u1', 'x'), fault, dropped]).filter((out) => out.type !== 'utterance'),
    ).toEqual([
      { type: 'modality', atMs: 1, modality: 'text', state: 'present', speaker: ADA },
      { type: 'fault', atMs: 2, code: 'DECODE_ERROR', message: 'half a frame', streamId: 'a' },
      dropped,
      { type: 'sessionEnded', arrivalMs: 1_500 },
    ]);
  });

  it('answers within the delivery of the utterance while the model returns values.', () => {
    marbles(({ cold, expectObservable }) => {
      const [p, f] = answers([measured('u1', 'x')]) as [UtteranceDraft, UtteranceDraft];
      const out$ = cold<Signal>('u-----|', { u: measured('u1', 'x') }).pipe(create());
      expectObservable(out$).toBe('p-----(fe|)', { p, f, e: { type: 'sessionEnded', arrivalMs: 1_500 } });
    });
  });

  it('gives the same answers in the same order when the model takes its time.', async () => {
    const signals = ['great', 'awful', 'x', 'great', 'x'].map((text, n) => measured(`u${n + 1}`, text));
    const waits = [3, 0, 2, 1, 0, 0];
    const slow = createFakeModel({
      later: (value) => firstValueFrom(timer(waits.shift() ?? 0).pipe(map(() => value))),
    });
    expect(await lines(from(signals).pipe(create(slow)))).toEqual(story(signals));
  });

  it('ends the session when more waits for the model than may.', async () => {
    const never = createFakeModel({ later: () => new Promise(() => undefined) });
    const signals = Array.from({ length: 7 }, (_, n) => measured(`u${n + 1}`, 'x'));
    const error: unknown = await lines(from(signals).pipe(create(never, { maxWaiting: 5 }))).catch(
      (caught: unknown) => caught,
    );
    expect(isUndertoneError(error) && error.code).toBe('LIMIT_EXCEEDED');
  });

  it('makes what it knows final when the source fails, and then fails.', () => {
    marbles(({ cold, expectObservable }) => {
      const [p, f] = answers([measured('u1', 'x')]) as [UtteranceDraft, UtteranceDraft];
      const out$ = cold<Signal>('u---#', { u: measured('u1', 'x') }, 'broken').pipe(create());
      expectObservable(out$).toBe('p---(f#)', { p, f }, 'broken');
    });
  });

  it('fails at once when the model does, with the error of the model.', () => {
    const failing: FakeModel = {
      ...createFakeModel(),
      add: () => {
        throw new Error('out of memory');
      },
    };
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold<Signal>('u---|', { u: measured('u1', 'x') }).pipe(create(failing))).toBe(
        '#',
        {},
        new Error('out of memory'),
      );
    });
  });

  it('measures the time of the model by the clock it was given, and only there.', () => {
    const times = [10, 14.5];
    const operator = classify({
      model: createFakeModel(),
      now: () => times.shift() ?? 0,
      settings: DEFAULT_CLASSIFICATION,
    });
    const [first] = outputOf(operator, [measured('u1', 'x')]);
    expect(first?.type === 'utterance' && first.computeMs).toBe(4.5);
  });

  it('refuses settings that are not positive.', () => {
    expect(() => create(createFakeModel(), { maxWaiting: 0 })).toThrow(RangeError);
  });

  it('tells interim transcripts, names and gaps in their places, as insights', () => {
    const signals: Signal[] = [
      { type: 'interim', arrivalMs: 100, streamId: 'asr', speaker: ADA, startMs: 0, endMs: 90, text: 'gre' },
      measured('u1', 'great'),
      { type: 'speakerNamed', arrivalMs: 1_600, speakerId: 'S1', speaker: BEN },
      { type: 'gap', arrivalMs: 1_700, streamId: 'a', startMs: 1_000, endMs: 1_500, reason: 'disconnected' },
    ];
    const [interim, , speaker, gap] = outputOf(create(), signals);
    expect(interim).toEqual({
      type: 'interim',
      atMs: 100,
      streamId: 'asr',
      speaker: ADA,
      startMs: 0,
      endMs: 90,
      text: 'gre',
    });
    expect(speaker).toEqual({ type: 'speaker', atMs: 1_600, speakerId: 'S1', speaker: BEN });
    expect(gap).toEqual({
      type: 'gap',
      atMs: 1_700,
      streamId: 'a',
      startMs: 1_000,
      endMs: 1_500,
      reason: 'disconnected',
    });
  });
});

describe('classify, of consent,', () => {
  const consent = (modalities: readonly Modality[]): Signal => ({
    type: 'consent',
    arrivalMs: 1_600,
    speaker: ADA,
    modalities,
    reason: 'consent',
  });

  it('says no text of a speaker who withholds it any more, nor passes the consent on.', () => {
    const later = [measured('u2', 'great', { speaker: BEN }), measured('u3', 'awful', { speaker: BEN })];
    const texts = (modalities: readonly Modality[]): string[] =>
      answers([measured('u1', 'fine'), consent(modalities), ...later])
        .filter(({ utteranceId, status }) => utteranceId === 'u1' && status === 'final')
        .map(({ text }) => String(text));
    expect(texts(['audio'])).toEqual(['null']);
    expect(texts(['text'])).toEqual(['fine']);
    expect(story([consent([])])).toEqual(['ended 1600']);
  });

  it('says no text of what was final already.', () => {
    const final = [measured('u1', 'fine'), measured('u2', 'fine'), measured('u3', 'fine'), consent([])];
    const late = answers([...final, again('u1', 'more', 9_000, BEN)]).filter(({ utteranceId }) => utteranceId === 'u1');
    expect(late.at(-1)?.text).toBe('more');
    const renamed = measured('u1', null, { isNew: false, arrivalMs: 9_000, speaker: BEN });
    expect(
      answers([...final, renamed])
        .filter(({ utteranceId }) => utteranceId === 'u1')
        .at(-1)?.text,
    ).toBeNull();
  });
});
