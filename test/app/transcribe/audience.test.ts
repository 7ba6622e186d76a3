import { describe, expect, it } from 'vitest';
import { createAudience, type Audience } from '../../../src/app/transcribe/audience.ts';
import type { Modality } from '../../../src/domain/modality.ts';
import type { Observation, StreamKind } from '../../../src/domain/observation.ts';
import { speakerFromName, type Speaker } from '../../../src/domain/speaker.ts';

const [ADA, BEN] = [speakerFromName('Ada', 'track'), speakerFromName('Ben', 'track')];
const opened = (streamId: string, kind: StreamKind, speaker?: Speaker): Observation => ({
  type: 'streamOpened',
  arrivalMs: 0,
  streamId,
  kind,
  ...(speaker && { speaker }),
});
const closed = (streamId: string): Observation => ({
  type: 'streamClosed',
  arrivalMs: 0,
  streamId,
  reason: 'track_ended',
});
const allowed = (speaker: Speaker, ...modalities: Modality[]): Observation => ({
  type: 'consent',
  arrivalMs: 0,
  speaker,
  modalities,
  reason: 'consent',
});
const said = (streamId: string, speaker?: Speaker): Observation => ({
  type: 'transcript',
  arrivalMs: 0,
  streamId,
  startMs: 0,
  endMs: 1,
  text: 'x',
  ...(speaker && { speaker }),
});
const audienceOf = (...observations: readonly Observation[]): Audience => {
  const audience = createAudience();
  for (const observation of observations) audience.observe(observation);
  return audience;
};

describe('createAudience', () => {
  it('listens to everybody who does not send words of their own', () => {
    const audience = audienceOf(opened('a', 'audio', ADA), opened('b', 'audio', BEN), opened('w', 'captions', BEN));
    expect([audience.isHeard('a'), audience.isHeard('b')]).toEqual([true, false]);
    audience.observe(closed('w'));
    expect(audience.isHeard('b')).toBe(true);
  });

  it('brings captions and sound together by name, as the pipeline does', () => {
    const audience = audienceOf(
      opened('a', 'audio', ADA),
      opened('w', 'captions', { ...speakerFromName('ADA', 'captions') }),
    );
    expect(audience.isHeard('a')).toBe(false);
  });

  it('leaves everything to captions of everybody, and the sound of everybody to any captions', () => {
    expect(audienceOf(opened('a', 'audio', ADA), opened('w', 'captions')).isHeard('a')).toBe(false);
    expect(audienceOf(opened('m', 'audio'), opened('w', 'captions', ADA)).isHeard('m')).toBe(false);
  });

  it('listens to nobody who withholds text, nor to a stream of everybody while anybody does', () => {
    const audience = audienceOf(opened('a', 'audio', ADA), opened('b', 'audio', BEN), opened('m', 'audio'));
    audience.observe(allowed(ADA, 'audio'));
    expect(['a', 'b', 'm'].map((id) => audience.isHeard(id))).toEqual([false, true, false]);
    expect(['a', 'b', 'm'].map((id) => audience.isWithheld(id))).toEqual([true, false, true]);
    audience.observe(allowed(ADA, 'audio', 'text'));
    expect(['a', 'b', 'm'].map((id) => audience.isHeard(id))).toEqual([true, true, true]);
  });

  it('does not listen for words to sound that is withheld, but does where only the policy rules out to measure it', () => {
    const audience = audienceOf(opened('a', 'audio', ADA), allowed(ADA, 'text'));
    expect(audience.isHeard('a')).toBe(false);
    audience.observe({ ...allowed(ADA, 'text'), reason: 'privacy' } as Observation);
    expect(audience.isHeard('a')).toBe(true);
  });

  it('leaves out the words of captions where it was asked to listen all the same', () => {
    const audience = createAudience('recognized');
    for (const one of [opened('a', 'audio', ADA), opened('w', 'captions', ADA), opened('v', 'captions', BEN)])
      audience.observe(one);
    expect(audience.isHeard('a')).toBe(true);
    expect([said('w'), said('v'), said('w', BEN), said('v', ADA)].map((one) => audience.isReplaced(one))).toEqual([
      true,
      false,
      false,
      true,
    ]);
    audience.observe(closed('a'));
    expect(audience.isReplaced(said('w'))).toBe(false);
  });

  it('leaves out nothing when captions come first, and nothing that is no word', () => {
    const audience = audienceOf(opened('a', 'audio', ADA), opened('w', 'captions', ADA));
    expect(audience.isReplaced(said('w'))).toBe(false);
    const asked = createAudience('recognized');
    asked.observe(opened('a', 'audio', ADA));
    expect(asked.isReplaced(closed('a'))).toBe(false);
  });

  it('takes a stream that was never opened for one of everybody', () => {
    expect(audienceOf().isHeard('x')).toBe(true);
    expect(audienceOf().streamOf('x')).toMatchObject({ streamId: 'x', kind: 'audio' });
  });
});
