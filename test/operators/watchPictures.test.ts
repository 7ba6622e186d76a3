import { describe, expect, it } from 'vitest';
import type { ModelInput } from '../../src/domain/conversationModel.ts';
import type { MissingReason } from '../../src/domain/modality.ts';
import type { VisualFrame } from '../../src/domain/observation.ts';
import type { Signal } from '../../src/operators/signal.ts';
import { DEFAULT_MODALITY_WATCH, watchModalities } from '../../src/operators/watchModalities.ts';
import { ADA, BEN, opened } from '../support/scriptedCall.ts';
import { frame, frames, interrupted, restored } from '../support/pictures.ts';
import { outputOf } from './operatorContract.ts';

const ALL: readonly ModelInput[] = ['text', 'prosody', 'face', 'body'];
type Watched = Partial<Parameters<typeof watchModalities>[0]>;

/** `1000 Ada face absent no_face`, in order, of face and body only. */
function story(signals: readonly Signal[], options: Watched = {}): string[] {
  const inOrder = signals.toSorted((a, b) => a.arrivalMs - b.arrivalMs);
  const operator = watchModalities({
    inputs: new Set(ALL),
    privacy: 'none',
    hasTurns: false,
    extracts: ['face', 'body'],
    settings: DEFAULT_MODALITY_WATCH,
    ...options,
  });
  return outputOf(operator, inOrder).flatMap((signal) => {
    if (signal.type !== 'modalityChanged') return [];
    const { arrivalMs, speaker, modality, state, reason } = signal;
    if (modality !== 'face' && modality !== 'body') return [];
    return [[arrivalMs, speaker?.name ?? 'all', modality, state, ...(reason ? [reason] : [])].join(' ')];
  });
}
const faces = (lines: readonly string[]): string[] => lines.filter((line) => line.includes(' face '));
const tick = (arrivalMs: number): Signal => ({ type: 'time', arrivalMs });
const ticks = (toMs: number): Signal[] => Array.from({ length: toMs / 100 }, (_, n) => tick(n * 100));
const camera = (arrivalMs: number, isOn: boolean): Signal => ({ type: 'camera', arrivalMs, streamId: 'v', isOn });
const A = opened('a', 'audio', ADA);
const V = opened('v', 'video', ADA);
const face = (fromMs: number, toMs: number, reason?: MissingReason): VisualFrame[] =>
  frames('v', 'face', fromMs, toMs, reason === undefined ? {} : { reason });

describe('watchModalities, of pictures,', () => {
  it('says present with the first picture that shows a face, and with the first that shows a body.', () => {
    const lines = story([A, V, ...ticks(1_000), ...face(200, 1_000), ...frames('v', 'body', 400, 1_000)]);
    expect(lines).toEqual(['250 Ada face present', '450 Ada body present']);
  });

  it('says why a face cannot be read within a second, and that it is back within a second.', () => {
    const reasons: MissingReason[] = ['no_face', 'face_small', 'face_turned', 'several_faces', 'low_light', 'overload'];
    for (const reason of reasons) {
      const lines = story([A, V, ...face(0, 3_000), ...face(3_000, 6_000, reason), ...face(6_000, 8_000)]);
      expect(faces(lines)).toEqual(['50 Ada face present', `3650 Ada face absent ${reason}`, '6650 Ada face present']);
    }
  });

  it('does not flap with a face that comes and goes, nor with reasons that change from picture to picture.', () => {
    const flicker = Array.from({ length: 40 }, (_, n) =>
      frame('v', 'face', 1_000 + n * 100, n % 2 === 1 ? {} : { reason: n % 4 === 0 ? 'no_face' : 'face_turned' }),
    );
    expect(faces(story([A, V, ...face(0, 1_000), ...flicker]))).toEqual(['50 Ada face present']);
  });

  it('takes a row that is not valid for nobody, and pictures of a modality that nobody reads for nothing.', () => {
    const nobody = frames('v', 'body', 0, 1_000, { row: new Float32Array(28) });
    expect(story([A, V, ...nobody, ...ticks(3_100)], { extracts: ['body'] })).toEqual([
      '0 Ada face absent no_extractor',
      '50 Ada body absent no_body',
      '3000 Ada body absent stalled',
    ]);
  });

  it('says stalled when no pictures come for 2 s, and present with the next one.', () => {
    const lines = story([A, V, ...face(0, 1_000), ...face(5_000, 6_000), ...ticks(6_000)]);
    expect(faces(lines)).toEqual(['50 Ada face present', '3000 Ada face absent stalled', '5050 Ada face present']);
    expect(faces(story([A, V, ...ticks(3_000)]))).toEqual(['2000 Ada face absent stalled']);
  });

  it('follows the camera as without pictures, and sees at once when it is on again.', () => {
    const signals = [A, V, ...face(0, 3_000), camera(3_000, false), ...face(6_200, 8_000), camera(6_000, true)];
    expect(faces(story([...signals, ...ticks(8_000)]))).toEqual([
      '50 Ada face present',
      '4000 Ada face absent no_video',
      '6850 Ada face present',
    ]);
  });

  it('says at once that a stream is interrupted, why, and that it is restored.', () => {
    const signals = [A, V, ...face(0, 3_000), interrupted(3_010, 'v', 'disconnected'), restored(9_000, 'v')];
    expect(faces(story([...signals, ...ticks(10_000), ...face(9_100, 10_000)]))).toEqual([
      '50 Ada face present',
      '3010 Ada face absent disconnected',
      '9150 Ada face present',
    ]);
  });

  it('needs an interruption of all streams of a speaker.', () => {
    const second = [opened('w', 'video', ADA), ...frames('w', 'face', 0, 6_000)];
    const signals = [A, V, ...second, ...face(0, 3_000), interrupted(3_000, 'v', 'disconnected')];
    expect(faces(story([...signals, interrupted(6_000, 'w', 'camera_off')]))).toEqual([
      '50 Ada face present',
      '6000 Ada face absent disconnected',
    ]);
  });

  it('follows streams of faces and of bodies that have no video.', () => {
    const signals = [A, opened('f', 'face', ADA), ...frames('f', 'face', 0, 2_000), tick(2_000)];
    expect(story(signals, { extracts: [] })).toEqual(['50 Ada face present', '50 Ada body absent no_video']);
    const closed: Signal = { type: 'streamClosed', arrivalMs: 2_000, streamId: 'f', reason: 'track_ended' };
    expect(faces(story([...signals, closed, ...ticks(4_000)], { extracts: [] })).at(-1)).toBe(
      '3000 Ada face absent no_video',
    );
  });

  it('follows each of those whom one stream shows by name.', () => {
    const shared = [opened('a', 'audio'), opened('v', 'video'), ...ticks(3_000)];
    const ada = frames('v', 'face', 0, 3_000, { speaker: ADA });
    const ben = frames('v', 'face', 20, 3_000, { speaker: BEN, reason: 'face_small' });
    expect(faces(story([...shared, ...ada, ...ben]))).toEqual([
      '50 Ada face present',
      '70 Ben face absent face_small',
      '2000 all face absent stalled',
    ]);
  });

  it('says not_in_weights of what is seen and not known.', () => {
    const lines = story([A, V, ...face(0, 1_000), ...frames('v', 'body', 0, 1_000)], { inputs: new Set(['movement']) });
    expect(lines).toEqual(['50 Ada face absent not_in_weights', '50 Ada body present']);
  });

  it('says no_extractor of pictures that nobody reads, until somebody does.', () => {
    const lines = story([A, V, ...ticks(3_000), ...face(1_000, 3_000)], { extracts: [] });
    expect(faces(lines)).toEqual(['0 Ada face absent no_extractor', '1650 Ada face present']);
  });

  it('says nothing of faces in no-face and of neither in text-only.', () => {
    const signals = [A, V, ...face(0, 2_000, 'no_face'), ...frames('v', 'body', 0, 2_000)];
    expect(story(signals, { privacy: 'no-face' })).toEqual(['50 all face absent privacy', '50 Ada body present']);
    expect(story(signals, { privacy: 'text-only' }).slice(2)).toEqual([]);
  });
});

/** The same of all modalities. */
function all(signals: readonly Signal[]): string[] {
  const operator = watchModalities({
    inputs: new Set(ALL),
    privacy: 'none',
    hasTurns: false,
    settings: DEFAULT_MODALITY_WATCH,
  });
  return outputOf(operator, signals).flatMap((signal) => {
    if (signal.type !== 'modalityChanged') return [];
    const { arrivalMs, speaker, modality, state, reason } = signal;
    return [[arrivalMs, speaker?.name ?? 'all', modality, state, ...(reason ? [reason] : [])].join(' ')];
  });
}
const CALL = [A, opened('b', 'audio', BEN), opened('captions', 'captions'), tick(0)];
const after = (signals: readonly Signal[]): string[] => all([...CALL, ...signals]).slice(5);

describe('watchModalities, of interruptions,', () => {
  it('says at once that sound and captions are interrupted, and that they are restored.', () => {
    expect(
      after([
        interrupted(5_000, 'a', 'disconnected'),
        interrupted(5_000, 'captions', 'transcriber_down'),
        restored(9_000, 'a'),
        restored(9_500, 'captions'),
      ]),
    ).toEqual([
      '5000 Ada audio absent disconnected',
      '5000 all text absent transcriber_down',
      '9000 Ada audio present',
      '9500 all text present',
    ]);
  });

  it('says the latest reason, and nothing when another stream of the speaker serves.', () => {
    expect(after([interrupted(1, 'a', 'stalled'), interrupted(2, 'a', 'disconnected')])).toEqual([
      '1 Ada audio absent stalled',
      '2 Ada audio absent disconnected',
    ]);
    const second = opened('a2', 'audio', ADA, 1);
    expect(after([second, interrupted(2, 'a', 'stalled'), interrupted(3, 'a2', 'muted')])).toEqual([
      '3 Ada audio absent muted',
    ]);
  });

  it('knows a stream that was interrupted before anything else came.', () => {
    expect(all([A, interrupted(0, 'a', 'muted'), tick(1)])).toContain('1 Ada audio absent muted');
  });

  it('passes gaps and time on, and says nothing of them or of streams nobody opened.', () => {
    const gap: Signal = { type: 'gap', arrivalMs: 5, streamId: 'a', startMs: 1, endMs: 4, reason: 'disconnected' };
    expect(after([gap, tick(6), interrupted(7, '?', 'stalled'), restored(8, '?')])).toEqual([]);
  });
});

describe('watchModalities, of consent,', () => {
  const consent = (arrivalMs: number, modalities: readonly ('text' | 'audio' | 'face' | 'body')[]): Signal => ({
    type: 'consent',
    arrivalMs,
    speaker: ADA,
    modalities,
    reason: 'consent',
  });

  it('makes what is not allowed absent at once, for that speaker, and allows it again.', () => {
    expect(after([consent(1_000, ['text', 'body']), consent(2_000, ['text', 'audio', 'face', 'body'])])).toEqual([
      '1000 Ada audio absent consent',
      '1000 Ada face absent consent',
      '2000 Ada audio present',
      '2000 Ada face absent no_video',
    ]);
  });

  it('says nothing of what happens to a modality meanwhile, but knows it afterwards.', () => {
    const quiet = [interrupted(1_500, 'a', 'disconnected'), consent(2_000, ['audio'])];
    expect(after([consent(1_000, []), ...quiet]).filter((line) => line.includes('audio'))).toEqual([
      '1000 Ada audio absent consent',
      '2000 Ada audio absent disconnected',
    ]);
  });

  it('counts before the session begins.', () => {
    expect(all([A, consent(0, ['text']), tick(1)]).filter((line) => line.includes('Ada'))).toEqual([
      '1 Ada audio absent consent',
      '1 Ada face absent consent',
      '1 Ada body absent consent',
    ]);
  });
});
