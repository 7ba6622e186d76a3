import { describe, expect, it } from 'vitest';
import type { ReplayInputs } from '../../../src/app/replay/inputs.ts';
import { observeRecording } from '../../../src/app/replay/observe.ts';
import type { Moment } from '../../../src/app/replay/timeline.ts';
import type { Observation } from '../../../src/domain/observation.ts';
import { UndertoneError } from '../../../src/errors.ts';
import { ADA, BEN, cue, turn } from '../../support/scriptedCall.ts';
import { fakeDetector, fakeReader, type FakeFile } from './fakeMedia.ts';

const NOTHING: ReplayInputs = {
  audio: [],
  video: [],
  captions: [],
  hasCaptions: false,
  turns: [],
  hasTurns: false,
  durationMs: null,
  notices: [],
};
const ADA_SOUND = { streamId: 'audio:ada', path: 'ada', speaker: ADA };
const BEN_SOUND = { streamId: 'audio:ben', path: 'ben', speaker: BEN };

async function observe(inputs: Partial<ReplayInputs>, files: Record<string, FakeFile>): Promise<Observation[]> {
  const observations: Observation[] = [];
  let beforeMs = 0;
  for await (const { atMs, observations: some } of moments(inputs, files)) {
    expect(atMs).toBeGreaterThanOrEqual(beforeMs);
    for (const { arrivalMs } of some) expect(arrivalMs).toBe(atMs);
    beforeMs = atMs;
    observations.push(...some);
  }
  return observations;
}

function moments(inputs: Partial<ReplayInputs>, files: Record<string, FakeFile>): AsyncGenerator<Moment> {
  return observeRecording({ ...NOTHING, ...inputs }, fakeReader(files), fakeDetector());
}

/** Everything but sound, as `1000 streamClosed audio:ada track_ended`. */
function events(observations: readonly Observation[]): readonly string[] {
  return observations
    .filter(({ type }) => type !== 'voice')
    .map((observation) => {
      const { arrivalMs, type } = observation;
      const streamId = 'streamId' in observation ? observation.streamId : '';
      const more = 'reason' in observation ? observation.reason : 'isOn' in observation ? String(observation.isOn) : '';
      return [arrivalMs, type, streamId, more].join(' ').trim();
    });
}

describe('observeRecording', () => {
  it('opens every stream at 0, with its speaker when it has one.', async () => {
    const observations = await observe(
      { audio: [ADA_SOUND], video: [{ streamId: 'video', path: 'ada' }], hasCaptions: true },
      { ada: { soundMs: 0, pictures: [] } },
    );
    expect(observations).toEqual([
      { type: 'streamOpened', arrivalMs: 0, streamId: 'audio:ada', kind: 'audio', speaker: ADA },
      { type: 'streamOpened', arrivalMs: 0, streamId: 'video', kind: 'video' },
      { type: 'streamOpened', arrivalMs: 0, streamId: 'captions', kind: 'captions' },
    ]);
  });

  it('hears each block when it is over, with the frames of voice activity where they belong.', async () => {
    const observations = await observe({ audio: [ADA_SOUND] }, { ada: { soundMs: 300 } });
    const heard = observations.filter((observation) => observation.type === 'voice');
    expect(heard.map(({ arrivalMs, startMs, speechStartMs }) => [arrivalMs, startMs, speechStartMs])).toEqual([
      [100, 0, 0],
      [200, 100, 100],
      [300, 200, 200],
    ]);
    expect(heard.map(({ samples, speech, frameMs }) => [samples.length, speech.length, frameMs])).toEqual(
      Array(3).fill([1_600, 2, 50]),
    );
  });

  it('hears the files side by side: sound, turns and captions come in order of arrival.', async () => {
    const observations = await observe(
      {
        audio: [{ streamId: 'mixed', path: 'ada' }],
        turns: [turn(0, 150, ADA), turn(100, 300, BEN)],
        hasTurns: true,
        captions: [cue(0, 120, 'first', ADA), cue(0, 100, 'late', BEN, 250)],
        hasCaptions: true,
      },
      { ada: { soundMs: 300 } },
    );
    expect(observations.slice(2).map(({ arrivalMs, type }) => `${arrivalMs} ${type}`)).toEqual([
      '100 voice',
      '120 transcript',
      '150 speakerTurn',
      '200 voice',
      '250 transcript',
      '300 voice',
      '300 speakerTurn',
    ]);
  });

  it('says when a camera goes off and on again.', async () => {
    const observations = await observe(
      { video: [{ streamId: 'video:ada', path: 'ada', speaker: ADA }] },
      { ada: { pictures: [200, 200, 0, 0, 0, 200, 200] } },
    );
    expect(events(observations).slice(1)).toEqual([
      '0 camera video:ada true',
      '1500 camera video:ada false',
      '3000 camera video:ada true',
    ]);
  });

  it('says that a track ended when the others go on for more than a second, and not when they end together.', async () => {
    const audio = [ADA_SOUND, BEN_SOUND];
    const early = await observe({ audio }, { ada: { soundMs: 1_000 }, ben: { soundMs: 3_000 } });
    expect(events(early).slice(2)).toEqual(['2100 streamClosed audio:ada track_ended']);
    const together = await observe({ audio }, { ada: { soundMs: 2_000 }, ben: { soundMs: 3_000 } });
    expect(events(together).slice(2)).toEqual([]);
  });

  it('lets captions beyond the end of the recording arrive at its end, so that nobody waits for them.', async () => {
    const captions = [cue(0, 200, 'early', ADA), cue(3_600_000, 3_601_000, 'an hour later', ADA)];
    const observations = await observe(
      { audio: [ADA_SOUND], captions, hasCaptions: true },
      { ada: { soundMs: 500, pictures: [] } },
    );
    const arrivals = observations.flatMap((o) => (o.type === 'transcript' ? [[o.arrivalMs, o.startMs]] : []));
    expect(arrivals).toEqual([
      [200, 0],
      [500, 3_600_000],
    ]);
  });

  it('turns a file that breaks off into a fault and a closed stream, and goes on with the others.', async () => {
    const breaks = { error: new UndertoneError('DECODE_ERROR', 'ada: the file breaks off'), afterMs: 500 };
    const observations = await observe(
      { audio: [ADA_SOUND, BEN_SOUND] },
      { ada: { soundMs: 2_000, breaks }, ben: { soundMs: 2_000 } },
    );
    expect(events(observations).slice(2)).toEqual(['500 fault audio:ada', '500 streamClosed audio:ada decode_error']);
    expect(observations.find(({ type }) => type === 'fault')).toMatchObject({
      code: 'DECODE_ERROR',
      message: 'sound of ada: the file breaks off',
    });
    expect(observations.filter(({ type, arrivalMs }) => type === 'voice' && arrivalMs > 500)).toHaveLength(15);
  });

  it.each([
    ['another error of ours', new UndertoneError('LIMIT_EXCEEDED', 'longer than 24 hours')],
    ['a defect', new TypeError('x is not a function')],
  ])('fails on %s, and closes what is open.', async (_, error) => {
    const reader = fakeReader({ ada: { soundMs: 200, breaks: { error, afterMs: 100 } }, ben: { soundMs: 9_000 } });
    const detector = fakeDetector();
    const run = async (): Promise<void> => {
      for await (const _moment of observeRecording({ ...NOTHING, audio: [ADA_SOUND, BEN_SOUND] }, reader, detector));
    };
    await expect(run()).rejects.toBe(error);
    expect([reader.closed(), detector.streams()]).toEqual([2, 0]);
  });

  it('decodes no more than it is asked for, and closes decoders and detectors when it is left.', async () => {
    const reader = fakeReader({ ada: { soundMs: 60_000 }, ben: { soundMs: 60_000 } });
    const detector = fakeDetector();
    let taken = 0;
    for await (const _ of observeRecording({ ...NOTHING, audio: [ADA_SOUND, BEN_SOUND] }, reader, detector))
      if (++taken === 11) break;
    expect(reader.blocks()).toBeLessThanOrEqual(12);
    expect([reader.closed(), detector.streams()]).toEqual([2, 0]);
  });
});
