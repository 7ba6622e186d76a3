import { setImmediate } from 'node:timers/promises';
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { createLivePictures } from '../../../src/app/serve/lookLive.ts';
import type { VisionModality } from '../../../src/adapter.ts';
import type { Modality } from '../../../src/domain/modality.ts';
import type { Observation } from '../../../src/domain/observation.ts';
import type { Speaker } from '../../../src/domain/speaker.ts';
import type { SourceEvent } from '../../../src/server/ingest/sourceEvent.ts';
import { createFakeVision, type FakeVision } from '../../support/fakeVision.ts';
import { createManualTimers } from '../../support/manualTimers.ts';
import { ADA, BEN } from '../../support/scriptedCall.ts';

const opened = (streamId: string, speaker?: Speaker): SourceEvent => ({
  type: 'streamOpened',
  arrivalMs: 0,
  streamId,
  kind: 'video',
  ...(speaker && { speaker }),
});
const consent = (speaker: Speaker, modalities: readonly Modality[]): SourceEvent => ({
  type: 'consent',
  arrivalMs: 0,
  speaker,
  modalities,
  reason: 'consent',
});
const closed = (streamId: string): SourceEvent => ({
  type: 'streamClosed',
  arrivalMs: 0,
  streamId,
  reason: 'track_ended',
});
const picture = (streamId: string, atMs: number): SourceEvent => ({
  type: 'picture',
  arrivalMs: atMs,
  streamId,
  atMs,
  jpeg: Uint8Array.of(0xff, 0xd8),
});
const time = (arrivalMs: number): Observation => ({ type: 'time', arrivalMs });

function openSession(modalities: readonly VisionModality[] = ['face', 'body']) {
  const vision: FakeVision = createFakeVision();
  const timers = createManualTimers();
  const pictures = createLivePictures({ extractor: vision.extractor, modalities }, timers);
  const observations$ = new Subject<Observation>();
  const told: Observation[] = [];
  const state = { isComplete: false, error: undefined as unknown };
  const subscription = pictures.mergeInto(observations$).subscribe({
    next: (one) => told.push(one),
    error: (error: unknown) => (state.error = error),
    complete: () => (state.isComplete = true),
  });
  const take = async (...events: SourceEvent[]): Promise<boolean[]> => {
    const taken = events.map((event) => pictures.take(event));
    await setImmediate();
    return taken;
  };
  return { vision, timers, observations$, told, state, subscription, take };
}

describe('createLivePictures', () => {
  it('takes pictures out of what producers send, and lets them go unread when nobody looks.', async () => {
    const { take } = openSession();
    expect(await take(opened('v', ADA), picture('v', 0), time(10))).toEqual([false, true, false]);
    const blind = createLivePictures(undefined);
    expect([opened('v', ADA), picture('v', 0)].map((event) => blind.take(event))).toEqual([false, true]);
    const observations$ = new Subject<Observation>();
    expect(blind.mergeInto(observations$)).toBe(observations$);
  });

  it('has each stream looked at in a place of its own; what is seen arrives when it is known, in order.', async () => {
    const { vision, observations$, told, take } = openSession();
    await take(opened('a', ADA), opened('b', BEN), picture('a', 100), picture('b', 100));
    observations$.next(time(100));
    observations$.next(time(350));
    vision.looks[1]?.see(100);
    vision.looks[0]?.see(100, 'no_face');
    observations$.next(time(400));
    const lines = told.map((one) =>
      one.type === 'visual' ? `${one.arrivalMs} ${one.streamId} ${one.modality} ${one.reason ?? 'row'}` : one.arrivalMs,
    );
    expect(lines).toEqual([
      100,
      350,
      '350 b face row',
      '350 b body row',
      '350 a face no_face',
      '350 a body no_face',
      400,
    ]);
  });

  it('looks only for what the server looks for and the participant allows, by consent or by policy.', async () => {
    const noFace = openSession(['body']);
    await noFace.take(opened('a', ADA), picture('a', 0));
    expect(noFace.vision.looks.map(({ modalities }) => modalities)).toEqual([['body']]);
    const { vision, take } = openSession();
    await take(consent(ADA, ['text', 'body']), consent(BEN, ['text']));
    await take(opened('a', ADA), opened('b', BEN), picture('a', 0), picture('b', 0));
    expect(vision.looks.map(({ modalities }) => modalities)).toEqual([['body']]);
  });

  it('stops at once when a consent is withdrawn, lets go what is on its way, and looks again for what is left.', async () => {
    const { vision, told, take } = openSession();
    await take(opened('a', ADA), picture('a', 0));
    await take(consent(ADA, ['text', 'audio', 'body']));
    vision.looks[0]?.see(0);
    expect([vision.looks[0]?.isClosed, told]).toEqual([true, []]);
    await take(picture('a', 100));
    expect(vision.looks[1]?.modalities).toEqual(['body']);
    await take(consent(ADA, ['text']), picture('a', 200));
    expect([vision.looks.length, vision.looks[1]?.isClosed]).toEqual([2, true]);
    await take(consent(ADA, ['face']), picture('a', 300));
    expect(vision.looks[2]?.modalities).toEqual(['face']);
  });

  it('keeps looking when a consent says what was so before.', async () => {
    const { vision, take } = openSession();
    await take(opened('a', ADA), picture('a', 0));
    await take(consent(ADA, ['face', 'body']), consent(BEN, []), picture('a', 100));
    expect(vision.looks.map(({ pictures, isClosed }) => [pictures.length, isClosed])).toEqual([[2, false]]);
  });

  it('looks in a stream that shows everybody for what everybody allows.', async () => {
    const { vision, take } = openSession();
    await take(opened('all'), picture('all', 0));
    await take(consent(BEN, ['body']), picture('all', 100));
    await take(consent(ADA, ['face']), picture('all', 200));
    expect(vision.looks.map(({ modalities, isClosed }) => [modalities, isClosed])).toEqual([
      [['face', 'body'], true],
      [['body'], true],
    ]);
  });

  it('lets what is on its way arrive after a stream has closed, unless a consent is withdrawn meanwhile.', async () => {
    const { vision, told, take } = openSession();
    await take(opened('a', ADA), picture('a', 0), closed('a'));
    vision.looks[0]?.see(0);
    expect(told).toHaveLength(2);
    await take(opened('b', BEN), picture('b', 0), closed('b'), consent(BEN, []));
    vision.looks[1]?.see(0);
    expect([told.length, vision.looks[1]?.isClosed]).toEqual([2, true]);
    expect((await take(picture('a', 100)))[0]).toBe(true);
  });

  it('waits at the end for what is on its way, but no longer than 2 s.', async () => {
    const patient = openSession();
    await patient.take(opened('a', ADA), picture('a', 0));
    patient.observations$.complete();
    patient.vision.looks[0]?.see(0);
    patient.vision.looks[0]?.finish();
    await setImmediate();
    expect([patient.told.length, patient.state.isComplete, patient.timers.waiting()]).toEqual([2, true, 0]);
    const stuck = openSession();
    await stuck.take(opened('a', ADA), picture('a', 0));
    stuck.observations$.complete();
    await setImmediate();
    expect(stuck.state.isComplete).toBe(false);
    stuck.timers.advance(2_000);
    await setImmediate();
    expect([stuck.state.isComplete, stuck.vision.looks[0]?.isClosed]).toEqual([true, true]);
  });

  it('ends looking at once when the session fails or nobody listens any more.', async () => {
    const failing = openSession();
    await failing.take(opened('a', ADA), picture('a', 0));
    failing.observations$.error(new Error('broken'));
    expect([failing.state.error, failing.vision.looks[0]?.isClosed]).toEqual([new Error('broken'), true]);
    const left = openSession();
    await left.take(opened('a', ADA), picture('a', 0));
    left.subscription.unsubscribe();
    left.vision.looks[0]?.see(0);
    expect([left.told, left.vision.looks[0]?.isClosed, left.observations$.observed]).toEqual([[], true, false]);
  });

  it('looks at 32 streams at most, and says so of the next.', async () => {
    const { vision, told, take } = openSession();
    const ids = Array.from({ length: 33 }, (_, n) => `v${n}`);
    await take(...ids.map((id) => opened(id)), ...ids.map((id) => picture(id, 0)));
    expect(vision.looks).toHaveLength(32);
    expect(told).toMatchObject([{ type: 'fault', streamId: 'v32', code: 'LIMIT_EXCEEDED' }]);
  });
});
