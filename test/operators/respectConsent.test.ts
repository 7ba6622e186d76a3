import { describe, expect, it } from 'vitest';
import type { Modality } from '../../src/domain/modality.ts';
import type { ConsentChanged, Observation } from '../../src/domain/observation.ts';
import { createConsents } from '../../src/operators/consents.ts';
import { respectConsent } from '../../src/operators/respectConsent.ts';
import type { Signal } from '../../src/operators/signal.ts';
import { frames, interrupted, restored } from '../support/pictures.ts';
import { ADA, BEN, cue, opened, voice } from '../support/scriptedCall.ts';
import { describeOperator, marbles, outputOf } from './operatorContract.ts';

const pass = respectConsent() as Parameters<typeof outputOf<Observation>>[0];
describeOperator('respectConsent', () => pass);

const consent = (
  arrivalMs: number,
  modalities: readonly Modality[],
  reason: ConsentChanged['reason'] = 'consent',
): ConsentChanged => ({ type: 'consent', arrivalMs, speaker: ADA, modalities, reason });
const CALL = [opened('a', 'audio', ADA), opened('b', 'audio', BEN), opened('v', 'video', ADA), opened('m', 'audio')];
const story = (signals: readonly Signal[]): string[] =>
  outputOf(pass, [...CALL, ...signals])
    .slice(CALL.length)
    .map((o) => [o.type, 'streamId' in o ? o.streamId : '', 'reason' in o ? o.reason : ''].join(' ').trim());

describe('respectConsent', () => {
  it('passes everything, unchanged and at once, while nobody withholds anything.', () => {
    marbles(({ cold, expectObservable }) => {
      const values = { o: CALL[0] as Signal, w: cue(0, 500, 'a', ADA), i: interrupted(1, 'a', 'stalled') };
      expectObservable(cold<Signal>('o-w-i-|', values).pipe(pass)).toBe('o-w-i-|', values);
    });
  });

  it('drops the pictures of what is withheld, of that speaker only, until it is allowed.', () => {
    const face = frames('v', 'face', 0, 200);
    const named = frames('m', 'face', 0, 100, { speaker: BEN });
    expect(story([consent(0, ['audio', 'text', 'body']), ...face, ...frames('v', 'body', 0, 100), ...named])).toEqual([
      'consent  consent',
      'visual v',
      'visual m',
    ]);
    const again = [consent(0, ['audio', 'text']), consent(1, ['audio', 'text', 'face']), ...face];
    expect(story(again).filter((line) => line.startsWith('visual'))).toHaveLength(2);
  });

  it('drops transcripts and interim words of who withholds text, and those of their own streams.', () => {
    const interim: Signal = {
      type: 'interim',
      arrivalMs: 3,
      streamId: 'x',
      speaker: ADA,
      startMs: 0,
      endMs: 1,
      text: 'a',
    };
    const own = { ...cue(0, 500, 'mine'), streamId: 'ca' };
    const words = [opened('ca', 'captions', ADA), cue(0, 500, 'hers', ADA), own, interim, cue(0, 500, 'his', BEN)];
    expect(story([consent(0, ['audio']), ...words])).toEqual([
      'consent  consent',
      'streamOpened ca',
      'transcript captions',
    ]);
  });

  it('takes withheld sound for a stream that closes, and opens it again; mixed sound goes on.', () => {
    const sound = [
      ...voice('a', 320, []),
      ...voice('m', 320, []),
      interrupted(330, 'a', 'stalled'),
      restored(340, 'a'),
    ];
    expect(story([consent(1, [], 'privacy'), ...sound, consent(400, ['audio']), ...voice('a', 320, [])])).toEqual([
      'consent  privacy',
      'streamClosed a privacy',
      'voice m',
      'consent  consent',
      'streamOpened a',
      'voice a',
    ]);
  });

  it('does not open what opens or closes while it is withheld.', () => {
    const closed: Signal = { type: 'streamClosed', arrivalMs: 5, streamId: 'a', reason: 'track_ended' };
    expect(story([consent(1, []), opened('a2', 'audio', ADA, 2), closed, consent(9, ['audio'])])).toEqual([
      'consent  consent',
      'streamClosed a consent',
      'consent  consent',
      'streamOpened a2',
    ]);
  });
});

describe('createConsents', () => {
  it('knows a speaker by id or by name, and the latest that they said.', () => {
    const consents = createConsents();
    expect(consents.reasonOf('face', ADA)).toBeUndefined();
    consents.observe(consent(0, ['text'], 'privacy'));
    const caption = { id: 'x', name: ' ADA', source: 'captions' } as const;
    expect(consents.reasonOf('face', caption)).toBe('privacy');
    expect(consents.reasonOf('text', caption)).toBeUndefined();
    expect(consents.reasonOf('face', BEN)).toBeUndefined();
    consents.observe({ ...consent(1, ['face']), speaker: caption });
    expect(consents.reasonOf('face', ADA)).toBeUndefined();
    expect(consents.reasonOf('text', ADA)).toBe('consent');
  });
});
