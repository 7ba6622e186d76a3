import { describe, expect, it } from 'vitest';
import type { ModelInput } from '../../src/domain/conversationModel.ts';
import type { MissingReason } from '../../src/domain/modality.ts';
import { BODY_COLUMNS } from '../../src/features/body/bodyFrame.ts';
import { FACE_COLUMNS } from '../../src/features/face/faceFrame.ts';
import { collectEvidence, DEFAULT_EVIDENCE, type EvidenceOptions } from '../../src/operators/collectEvidence.ts';
import { createOutages } from '../../src/operators/outages.ts';
import type { Signal, UtteranceAligned, UtteranceMeasured, UtteranceRecord } from '../../src/operators/signal.ts';
import { createVisualRing, ROW_WIDTH } from '../../src/operators/visualRing.ts';
import { frame, frames, interrupted, restored, rowOf } from '../support/pictures.ts';
import { ADA, BEN, FAKE_FEATURES, opened, voice } from '../support/scriptedCall.ts';
import { outputOf } from './operatorContract.ts';

const ALL: readonly ModelInput[] = ['text', 'prosody', 'segments', 'face', 'body', 'movement'];
type Options = Partial<Omit<EvidenceOptions, 'inputs'>> & { readonly inputs?: readonly ModelInput[] };
function measuredOf(signals: readonly Signal[], { inputs = ALL, ...rest }: Options = {}): UtteranceMeasured[] {
  const operator = collectEvidence({
    privacy: 'none',
    lookAhead: 3,
    hasTurns: false,
    features: FAKE_FEATURES,
    extracts: ['face', 'body'],
    movement: (rows) => Float32Array.of(rows.length / 28),
    settings: DEFAULT_EVIDENCE,
    ...rest,
    inputs: new Set(inputs),
  });
  return outputOf(operator, signals).filter((signal) => signal.type === 'utteranceMeasured');
}
const inOrder = (...lists: readonly Iterable<Signal>[]): Signal[] =>
  lists.flatMap((list) => [...list]).toSorted((a, b) => a.arrivalMs - b.arrivalMs);

const CALL = [opened('a', 'audio', ADA), opened('v', 'video', ADA)];
const sound = [...voice('a', 3_200, [[1_000, 3_000]])];
const tick = (arrivalMs: number): Signal => ({ type: 'time', arrivalMs });
function aligned(record: Partial<UtteranceRecord> = {}, isNew = true, arrivalMs = 3_500): UtteranceAligned {
  const utterance = { id: 'u1', speaker: ADA, startMs: 1_000, endMs: 3_000 };
  const whole = { utterance, streamId: 'a', overlaps: [], text: null, ...record };
  return { type: 'utteranceAligned', arrivalMs, isNew, record: whole };
}
const faces = frames('v', 'face', 0, 3_400);
const bodies = frames('v', 'body', 0, 3_400);

describe('collectEvidence, of pictures,', () => {
  it('gives the rows of the utterance at 10 Hz, and the movement of the body.', () => {
    const numbered = faces.map((one) => ({ ...one, row: rowOf('face', one.atMs) }));
    const [measured] = measuredOf(inOrder(CALL, sound, numbered, bodies, [aligned()]));
    const face = measured?.evidence.face ?? new Float32Array(0);
    expect(face).toHaveLength(20 * 52);
    expect(face[0]).toBe(1_000);
    expect(face[19 * 52]).toBe(2_900);
    expect(measured?.evidence.body).toHaveLength(20 * 28);
    expect(measured?.evidence.vectors).toEqual({ movement: Float32Array.of(20) });
    expect(measured?.evidence.availability).toMatchObject({ face: { share: 1 }, body: { share: 1 } });
  });

  it.each([5, 2, 25])('gives 10 rows a second of %s pictures a second.', (perSecond) => {
    const few = frames('v', 'face', 0, 3_400, { stepMs: 1000 / perSecond });
    const [measured] = measuredOf(inOrder(CALL, sound, few, [aligned()]));
    expect(measured?.evidence.face).toHaveLength(20 * 52);
    expect(measured?.evidence.availability.face).toEqual({ share: 1 });
  });

  it('leaves out rows without a person, says how much that is, and the reason that dominates.', () => {
    const reasonAt = (atMs: number): { reason?: MissingReason } =>
      atMs < 1_300 ? { reason: 'low_light' } : atMs < 2_000 ? { reason: 'face_turned' } : {};
    const some = faces.map(({ atMs }) => frame('v', 'face', atMs, reasonAt(atMs)));
    const [measured] = measuredOf(inOrder(CALL, sound, some, bodies, [aligned()]));
    expect(measured?.evidence.face).toHaveLength(10 * 52);
    expect(measured?.evidence.availability.face).toEqual({ share: 0.5, reason: 'face_turned' });
  });

  it('keeps the places of pictures without a person for the movement.', () => {
    const some = bodies.map(({ atMs }) => frame('v', 'body', atMs, atMs < 2_000 ? { reason: 'no_body' } : {}));
    const [measured] = measuredOf(inOrder(CALL, sound, some, [aligned()]));
    expect(measured?.evidence.body).toHaveLength(10 * 28);
    expect(measured?.evidence.vectors).toEqual({ movement: Float32Array.of(20) });
  });

  it('says why there are no pictures: the camera, an interruption, no reader, a stall.', () => {
    const reasonOf = (signals: readonly Signal[], options?: Options): unknown =>
      measuredOf(inOrder(CALL, sound, signals, [aligned()]), options)[0]?.evidence.availability.face;
    const off: Signal = { type: 'camera', arrivalMs: 500, streamId: 'v', isOn: false };
    expect(reasonOf([off])).toEqual({ share: 0, reason: 'no_video' });
    const dark = faces.map(({ atMs }) => frame('v', 'face', atMs, { reason: 'low_light' }));
    expect(reasonOf([off, ...dark])).toEqual({ share: 0, reason: 'no_video' });
    expect(reasonOf(dark)).toEqual({ share: 0, reason: 'low_light' });
    expect(reasonOf([interrupted(500, 'v', 'camera_off')])).toEqual({ share: 0, reason: 'camera_off' });
    expect(reasonOf([], { extracts: [] })).toEqual({ share: 0, reason: 'no_extractor' });
    expect(reasonOf([])).toEqual({ share: 0, reason: 'stalled' });
    expect(reasonOf(faces, { inputs: ['prosody'] })).toEqual({ share: 0, reason: 'not_in_weights' });
    const dropped = faces.filter(({ atMs }) => atMs < 2_000);
    expect(reasonOf([...dropped, interrupted(2_050, 'v', 'disconnected')])).toEqual({
      share: 0.6,
      reason: 'disconnected',
    });
  });

  it('takes the stream that shows most of the speaker, and never that of another.', () => {
    const poor = faces.map(({ atMs }) => frame('v', 'face', atMs, { reason: 'no_face' }));
    const good = [opened('f', 'face', ADA), ...frames('f', 'face', 0, 3_400)];
    const [two] = measuredOf(inOrder(CALL, sound, poor, good, [aligned()]));
    expect(two?.evidence.availability.face).toEqual({ share: 1 });
    const bens = [opened('w', 'video', BEN), ...frames('w', 'face', 0, 3_400)];
    const [none] = measuredOf(inOrder([CALL[0] as Signal], sound, bens, [aligned()]));
    expect(none?.evidence.availability.face).toEqual({ share: 0, reason: 'no_video' });
  });

  it('gives the pictures of a stream that shows whoever speaks to whoever is speaking, and named ones by name.', () => {
    const shared = [CALL[0] as Signal, opened('v', 'video')];
    expect(measuredOf(inOrder(shared, sound, faces, [aligned()]))[0]?.evidence.availability.face.share).toBe(1);
    const named = inOrder(
      frames('v', 'face', 0, 3_400, { speaker: BEN, value: 2 }),
      frames('v', 'face', 0, 3_400, { speaker: ADA, value: 1 }),
    );
    expect(measuredOf(inOrder(shared, sound, named, [aligned()]))[0]?.evidence.face?.[0]).toBe(1);
  });

  it('ignores rows of another width or with numbers that are not finite.', () => {
    const bad = faces.map((one, n) => ({ ...one, row: n % 2 ? new Float32Array(51) : rowOf('face', NaN) }));
    const [measured] = measuredOf(inOrder(CALL, sound, bad, [aligned()]));
    expect(measured?.evidence.face).toBeUndefined();
    expect(measured?.evidence.availability.face).toEqual({ share: 0, reason: 'unsupported_format' });
  });

  it('revises an utterance once when late pictures have reached its end.', () => {
    const late = faces.map(({ atMs }) => frame('v', 'face', atMs, { lagMs: 1_000 }));
    const out = measuredOf(inOrder(CALL, sound, late, [aligned()]));
    expect(out.map(({ arrivalMs, isNew, evidence }) => [arrivalMs, isNew, evidence.availability.face.share])).toEqual([
      [3_500, true, 0.9],
      [4_000, false, 1],
    ]);
  });

  it('revises with what there is when late pictures do not come in time, and at the end.', () => {
    const late = faces.map(({ atMs }) => frame('v', 'face', atMs, { lagMs: atMs > 2_000 ? 2_000 : 1_000 }));
    const until = late.filter(({ atMs }) => atMs <= 2_500);
    const waits = measuredOf(inOrder(CALL, sound, until, [aligned(), tick(5_499), tick(5_500), tick(6_000)]));
    expect(waits.map(({ arrivalMs }) => arrivalMs)).toEqual([3_500, 5_500]);
    const early = inOrder(CALL, sound, until, [aligned({}, true, 2_500)]).filter((signal) => signal.arrivalMs < 2_900);
    expect(measuredOf(early).map(({ isNew }) => isNew)).toEqual([true, false]);
  });

  it('does not wait for pictures that do not come any more, nor tells twice what did not change.', () => {
    const stopped = faces.filter(({ atMs }) => atMs < 1_200);
    expect(measuredOf(inOrder(CALL, sound, stopped, [aligned(), tick(9_000)]))).toHaveLength(1);
    const nobody = faces.map(({ atMs }) => frame('v', 'face', atMs, { lagMs: 800, reason: 'no_face' }));
    const out = measuredOf(inOrder(CALL, sound, nobody, [aligned(), tick(9_000)]));
    expect(out).toHaveLength(1);
  });

  it('keeps what it measured when the words come later than the pictures are held.', () => {
    const more = frames('v', 'face', 3_400, 40_000);
    const again = aligned({ text: 'late' }, false, 40_000);
    const [, late] = measuredOf(inOrder(CALL, sound, faces, more, [aligned(), again]));
    expect(late?.evidence.face).toHaveLength(20 * 52);
  });

  it('sees nothing of a face in no-face, and nothing at all in text-only.', () => {
    const signals = inOrder(CALL, sound, faces, bodies, [aligned()]);
    const [noFace] = measuredOf(signals, { privacy: 'no-face' });
    expect(noFace?.evidence.face).toBeUndefined();
    expect(noFace?.evidence.availability).toMatchObject({ face: { share: 0, reason: 'privacy' }, body: { share: 1 } });
    const [textOnly] = measuredOf(signals, { privacy: 'text-only' });
    expect(textOnly?.evidence.body ?? textOnly?.evidence.vectors).toBeUndefined();
  });

  it('uses nothing that a speaker withholds, and has let go of it when it is allowed again.', () => {
    const consent = (arrivalMs: number, modalities: ('audio' | 'face' | 'body')[]): Signal => ({
      type: 'consent',
      arrivalMs,
      speaker: ADA,
      modalities,
      reason: 'consent',
    });
    const before = inOrder(CALL, sound, faces, bodies);
    const [none] = measuredOf([...before, consent(3_460, ['body']), aligned({ text: 'hi' })]);
    expect(none?.evidence).toEqual({
      body: none?.evidence.body,
      vectors: { movement: Float32Array.of(20) },
      availability: {
        text: { share: 0, reason: 'consent' },
        audio: { share: 0, reason: 'consent' },
        face: { share: 0, reason: 'consent' },
        body: { share: 1 },
      },
    });
    const all = consent(3_470, ['audio', 'face', 'body']);
    const [again] = measuredOf([...before, consent(3_460, []), all, aligned()]);
    expect(again?.evidence.face ?? again?.evidence.body ?? again?.evidence.prosody).toBeUndefined();
    const [bens] = measuredOf([...before, { ...consent(3_460, []), speaker: BEN } as Signal, aligned()]);
    expect(bens?.evidence.availability.face).toEqual({ share: 1 });
  });
});

describe('collectEvidence, of interruptions,', () => {
  it('says what part of the sound an interruption took away, and why; not when it was sent again.', () => {
    const first = [...voice('a', 1_600, [[1_000, 1_600]])];
    const out = [interrupted(1_650, 'a', 'disconnected'), restored(2_000, 'a')];
    const rest = [...voice('a', 3_200, [[2_000, 3_000]], { fromMs: 2_000 })];
    const [lost] = measuredOf(inOrder([CALL[0] as Signal], first, out, rest, [aligned()]));
    expect(lost?.evidence.availability.audio).toEqual({ share: 0.825, reason: 'disconnected' });
    const again = [...voice('a', 3_200, [[1_600, 3_000]], { fromMs: 1_600, delayMs: 500 })];
    const [whole] = measuredOf(inOrder([CALL[0] as Signal], first, out, again, [aligned({}, true, 4_000)]));
    expect(whole?.evidence.availability.audio).toEqual({ share: 1 });
  });

  it('says why there is no text when the captions were interrupted.', () => {
    const captions = [opened('c', 'captions'), interrupted(1_200, 'c', 'transcriber_down'), restored(2_000, 'c')];
    const [measured] = measuredOf(inOrder([CALL[0] as Signal], sound, captions, [aligned()]));
    expect(measured?.evidence.availability.text).toEqual({ share: 0, reason: 'transcriber_down' });
  });
});

describe('createVisualRing', () => {
  it('has rows as wide as the features make them.', () => {
    expect(ROW_WIDTH).toEqual({ face: FACE_COLUMNS.length, body: BODY_COLUMNS.length });
  });

  it('finds the nearest picture, whatever the order in which they came.', () => {
    const ring = createVisualRing('face', 5_000);
    for (const atMs of [300, 100, 500, 200]) ring.write(frame('v', 'face', atMs));
    expect([0, 140, 160, 420, 900].map((atMs) => ring.nearest(atMs, 150)?.atMs)).toEqual([
      100,
      100,
      200,
      500,
      undefined,
    ]);
  });

  it('holds no more than its time, at 25 a second, however many come and however odd their times are.', () => {
    const ring = createVisualRing('face', 1_000);
    for (let n = 0; n < 5_000; n++) ring.write(frame('v', 'face', n));
    for (const atMs of [NaN, Infinity, -1, 4_999]) ring.write({ ...frame('v', 'face', 0), atMs });
    const held = Array.from({ length: 5_000 }, (_, n) => ring.nearest(n, 0)).filter((one) => one !== undefined);
    expect(held.length).toBeLessThanOrEqual(25);
    expect(held[0]?.atMs).toBeGreaterThan(3_998);
    expect(ring.latest.atMs).toBe(4_999);
  });
});

describe('createOutages', () => {
  it('knows interruptions, gaps and closings, and forgets those of a stream that opens again.', () => {
    const outages = createOutages();
    const all = (): string[] =>
      outages.within('a', { startMs: 0, endMs: 1e6 }).map((o) => `${o.startMs}-${o.endMs} ${o.reason}`);
    for (const signal of [
      opened('a', 'audio', ADA),
      interrupted(100, 'a', 'stalled'),
      interrupted(150, 'a', 'disconnected'),
      restored(200, 'a'),
      { type: 'gap', arrivalMs: 210, streamId: 'a', startMs: 120, endMs: 180, reason: 'late' },
      { type: 'gap', arrivalMs: 210, streamId: 'a', startMs: 180, endMs: 180, reason: 'late' },
      { type: 'streamClosed', arrivalMs: 300, streamId: 'a', reason: 'track_ended' },
    ] as const)
      outages.observe(signal);
    expect(all()).toEqual(['100-150 stalled', '150-200 disconnected', '120-180 late', '300-Infinity track_ended']);
    expect(outages.within('a', { startMs: 210, endMs: 290 })).toEqual([]);
    outages.observe(opened('a', 'audio', ADA));
    expect(all()).toEqual([]);
  });
});
