import { describe, expect, it } from 'vitest';
import type { ModelInput } from '../../src/domain/conversationModel.ts';
import { perModality, type PrivacyMode } from '../../src/domain/modality.ts';
import type { Speaker } from '../../src/domain/speaker.ts';
import type { Signal, UtteranceMeasured } from '../../src/operators/signal.ts';
import { DEFAULT_MODALITY_WATCH, watchModalities } from '../../src/operators/watchModalities.ts';
import { ADA, BEN, opened, voice } from '../support/scriptedCall.ts';
import { describeOperator, marbles, outputOf } from './operatorContract.ts';

function create(
  privacy: PrivacyMode = 'none',
  inputs: readonly ModelInput[] = ['text', 'prosody', 'segments'],
  settings = {},
) {
  const all = { ...DEFAULT_MODALITY_WATCH, ...settings };
  return watchModalities({ inputs: new Set(inputs), privacy, hasTurns: false, settings: all });
}
/** `1000 Ada text absent no_captions`, in order. */
function story(signals: readonly Signal[], ...options: Parameters<typeof create>): string[] {
  return outputOf(create(...options), signals).flatMap((signal) => {
    if (signal.type !== 'modalityChanged') return [];
    const { arrivalMs, speaker, modality, state, reason } = signal;
    return [[arrivalMs, speaker?.name ?? 'all', modality, state, ...(reason ? [reason] : [])].join(' ')];
  });
}
const tick = (arrivalMs: number): Signal => ({ type: 'wordsDropped', arrivalMs, count: 0 });
const camera = (arrivalMs: number, isOn: boolean, streamId = 'v'): Signal => ({
  type: 'camera',
  arrivalMs,
  streamId,
  isOn,
});
const close = (arrivalMs: number, streamId: string): Signal => ({
  type: 'streamClosed',
  arrivalMs,
  streamId,
  reason: 'track_ended',
});
const fault = (arrivalMs: number, streamId: string): Signal => ({
  type: 'fault',
  arrivalMs,
  streamId,
  code: 'DECODE_ERROR',
  message: '',
});
let count = 0;
function measured(
  arrivalMs: number,
  speaker: Speaker,
  text: string | null,
  { id = `u${++count}`, lengthMs = 1_000 } = {},
): UtteranceMeasured {
  const utterance = { id, speaker, startMs: arrivalMs - 500 - lengthMs, endMs: arrivalMs - 500 };
  const evidence = { availability: perModality(() => ({ share: 1 })) };
  const record = { utterance, streamId: speaker.id, overlaps: [], text };
  return { type: 'utteranceMeasured', arrivalMs, isNew: true, record, evidence };
}
const CALL = [opened('ada', 'audio', ADA), opened('ben', 'audio', BEN), opened('captions', 'captions')];
const START = [
  '0 Ada audio present',
  '0 Ben audio present',
  '0 all text present',
  '0 all face absent no_video',
  '0 all body absent no_video',
];
const after = (...signals: Signal[]): string[] => story([...CALL, tick(0), ...signals]).slice(START.length);

describeOperator('watchModalities', () => create());

describe('watchModalities', () => {
  it('announces every modality once, before the first signal that is not about streams.', () => {
    expect(story([...CALL, tick(0), tick(1), tick(2)])).toEqual(START);
    expect(story(CALL)).toEqual([]);
    expect(outputOf(create(), [...CALL, tick(0)]).at(-1)).toEqual(tick(0));
  });

  it('announces a change at once, before the signal that made it.', () => {
    marbles(({ cold, expectObservable }) => {
      const [o] = CALL as [Signal];
      const values = { o, t: tick(0), c: close(5, 'ada') };
      const at = { type: 'modalityChanged', arrivalMs: 0 };
      const said = {
        a: { ...at, modality: 'audio', speaker: ADA, state: 'present' },
        x: { ...at, modality: 'text', state: 'absent', reason: 'no_captions' },
        f: { ...at, modality: 'face', state: 'absent', reason: 'no_video' },
        b: { ...at, modality: 'body', state: 'absent', reason: 'no_video' },
        e: { ...at, arrivalMs: 5, modality: 'audio', speaker: ADA, state: 'absent', reason: 'track_ended' },
      };
      expectObservable(cold<Signal>('o-t-------c---|', values).pipe(create())).toBe('o-(xafbt)-(ec)|', {
        ...values,
        ...said,
      });
    });
  });

  it('says what is missing from a session without captions, without audio and without anything.', () => {
    expect(story([opened('ada', 'audio', ADA), tick(0)])).toContain('0 all text absent no_captions');
    expect(story([opened('captions', 'captions'), tick(0)])).toContain('0 all audio absent no_audio');
    expect(story([tick(0)])).toHaveLength(4);
  });

  it('says what privacy and the weights leave out, and nothing more about it.', () => {
    const video = [...CALL, opened('v', 'video', ADA), tick(0), camera(1, false), tick(5_000), close(6_000, 'ada')];
    expect(story(video, 'text-only')).toEqual([
      '0 all audio absent privacy',
      '0 all text present',
      '0 all face absent privacy',
      '0 all body absent privacy',
    ]);
    expect(story(video, 'no-face').filter((line) => line.includes('face'))).toEqual(['0 all face absent privacy']);
    expect(story(video, 'none', ['text']).filter((line) => line.includes('audio'))).toEqual([
      '0 all audio absent not_in_weights',
    ]);
    expect(story(video, 'none', ['prosody']).filter((line) => line.includes('text'))).toEqual([
      '0 all text absent not_in_weights',
    ]);
  });

  it('follows each camera, once it has been off or on for a second.', () => {
    const video = [...CALL, opened('v', 'video', ADA), opened('w', 'video', BEN), camera(0, false, 'w')];
    const off = [
      tick(0),
      camera(5_000, false),
      tick(5_999),
      tick(6_000),
      camera(9_000, true),
      tick(10_000),
      camera(12_000, true),
      tick(15_000),
    ];
    expect(story([...video, ...off]).filter((line) => line.includes('face'))).toEqual([
      '0 Ada face absent no_extractor',
      '0 Ben face absent no_video',
      '6000 Ada face absent no_video',
      '10000 Ada face absent no_extractor',
    ]);
  });

  it('does not flap with a camera that flickers.', () => {
    const flicker = Array.from({ length: 40 }, (_, n) => camera(5_000 + n * 400, n % 2 === 1));
    expect(
      story([...CALL, opened('v', 'video', ADA), tick(0), ...flicker]).filter((line) => !line.startsWith('0 ')),
    ).toEqual([]);
  });

  it('follows one camera that shows everybody, and one that joins late.', () => {
    const lines = story([
      ...CALL,
      opened('v', 'video'),
      tick(0),
      camera(1_000, false),
      tick(2_000),
      opened('w', 'video', BEN, 3_000),
    ]);
    expect(lines.filter((line) => line.includes('body'))).toEqual([
      '0 all body absent no_extractor',
      '2000 all body absent no_video',
      '3000 Ben body absent no_extractor',
    ]);
  });

  it('says that a stream has carried no speech for a minute, and that it does again.', () => {
    const silence = [...voice('ada', 150_000, [])];
    expect(after(...silence, measured(151_000, ADA, 'hi'))).toEqual([
      '60160 Ada audio absent no_speech',
      '151000 Ada audio present',
    ]);
  });

  it('counts the minute from the last speech.', () => {
    const silence: Signal[] = [...voice('ada', 150_000, [])];
    silence.splice(100, 0, measured(32_000, ADA, 'hi'));
    expect(after(...silence)).toEqual(['92160 Ada audio absent no_speech']);
  });

  it('says that a track ended, for audio only when no other carries the speaker.', () => {
    expect(after(close(9_000, 'ada'))).toEqual(['9000 Ada audio absent track_ended']);
    expect(after(opened('ada2', 'audio', ADA, 8_000), close(9_000, 'ada'))).toEqual([]);
    expect(after(close(9_000, 'captions'))).toEqual(['9000 all text absent track_ended']);
  });

  it('says that a stream cannot be decoded, once, and that it can again.', () => {
    const [block] = voice('ada', 320, []);
    const again = (arrivalMs: number): Signal => ({ ...(block as Signal), arrivalMs });
    expect(after(fault(4_000, 'ada'), close(4_000, 'ada'))).toEqual(['4000 Ada audio absent decode_error']);
    expect(after(fault(4_000, 'ada'), again(5_999), again(6_000))).toEqual([
      '4000 Ada audio absent decode_error',
      '6000 Ada audio present',
    ]);
    expect(after(fault(4_000, 'nobody'))).toEqual([]);
    const video = story([...CALL, opened('v', 'video', ADA), tick(0), fault(1_000, 'v')]);
    expect(video.slice(-2)).toEqual(['1000 Ada face absent decode_error', '1000 Ada body absent decode_error']);
  });

  it('says that captions stopped after two utterances without text, and that they returned.', () => {
    const two = [measured(2_000, ADA, null), measured(4_000, ADA, null), tick(6_000), tick(6_500)];
    expect(after(...two, tick(9_000), measured(9_500, ADA, 'again'))).toEqual([
      '6500 Ada text absent no_captions',
      '9500 Ada text present',
    ]);
  });

  it('keeps to the reason why text is absent while utterances stay without any.', () => {
    const asr = { ...opened('asr:ada', 'captions', ADA), arrivalMs: 1_000 };
    const down: Signal = {
      type: 'streamInterrupted',
      arrivalMs: 1_500,
      streamId: 'asr:ada',
      reason: 'transcriber_down',
    };
    const two = [measured(2_000, ADA, null), measured(4_000, ADA, null), tick(9_000)];
    const back: Signal = { type: 'streamRestored', arrivalMs: 9_500, streamId: 'asr:ada' };
    expect(after(asr, down, ...two, back).slice(-2)).toEqual([
      '1500 Ada text absent transcriber_down',
      '9500 Ada text present',
    ]);
  });

  it('says it after 8 s of speech without text.', () => {
    expect(after(measured(10_000, ADA, null, { lengthMs: 7_999 }), tick(60_000))).toEqual([]);
    expect(after(measured(10_000, ADA, null, { lengthMs: 8_000 }), tick(12_500))).toEqual([
      '12500 Ada text absent no_captions',
    ]);
  });

  it('waits for text that comes late, and counts speakers apart.', () => {
    const late = Array.from({ length: 10 }, (_, n) => [
      measured(10_000 + n * 3_000, ADA, null, { id: `late${n}` }),
      { ...measured(12_000 + n * 3_000, ADA, 'late', { id: `late${n}` }), isNew: false },
    ]).flat();
    expect(after(...late, tick(90_000))).toEqual([]);
    expect(after(measured(2_000, ADA, null), measured(4_000, BEN, null), tick(9_000))).toEqual([]);
  });

  it('says nothing of speakers while there are no captions at all, and takes the first text for all.', () => {
    const silent = [
      opened('ada', 'audio', ADA),
      tick(0),
      measured(2_000, ADA, null),
      measured(4_000, ADA, null),
      tick(9_000),
    ];
    expect(story([...silent, measured(9_500, ADA, 'hi')]).filter((line) => line.includes('text'))).toEqual([
      '0 all text absent no_captions',
      '9500 all text present',
    ]);
  });

  it('refuses settings that are not positive.', () => {
    expect(() => create('none', [], { cameraHoldMs: 0 })).toThrow(RangeError);
  });
});
