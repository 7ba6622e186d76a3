import { describe, expect, it } from 'vitest';
import type { VisualFrame } from '../../src/domain/observation.ts';
import type { Speaker } from '../../src/domain/speaker.ts';
import type { Utterance } from '../../src/domain/utterance.ts';
import { createStreams } from '../../src/operators/streams.ts';
import { createVisualStore, MAX_RINGS } from '../../src/operators/visualStore.ts';

const ADA: Speaker = { id: 'Ada', name: 'Ada', source: 'track' };
const BEN: Speaker = { id: 'Ben', name: 'Ben', source: 'track' };
const KEPT_MS = 10_000;

const frame = (streamId: string, atMs: number, arrivalMs = atMs): VisualFrame => ({
  type: 'visual',
  streamId,
  modality: 'face',
  atMs,
  arrivalMs,
  row: new Float32Array(52),
});
const utteranceOf = (speaker: Speaker, endMs: number): Utterance => ({ id: 'u1', speaker, startMs: 0, endMs });

describe('createVisualStore', () => {
  it('finds the pictures of a speaker in a stream, and not those of somebody else in it', () => {
    const store = createVisualStore();
    store.keep(frame('a', 100), ADA, KEPT_MS);
    expect(store.find('face', 'a', ADA)?.nearest(100, 1)?.atMs).toBe(100);
    expect(store.find('face', 'a', BEN)).toBeUndefined();
    expect(store.find('body', 'a', ADA)).toBeUndefined();
    expect(store.find('face', 'b', ADA)).toBeUndefined();
  });

  it('finds the pictures of everybody for whoever is asked for, but a speaker’s own first', () => {
    const store = createVisualStore();
    store.keep(frame('a', 100), undefined, KEPT_MS);
    expect(store.find('face', 'a', BEN)?.latest.atMs).toBe(100);
    store.keep(frame('a', 200), BEN, KEPT_MS);
    expect(store.find('face', 'a', BEN)?.latest.atMs).toBe(200);
    expect(store.find('face', 'a', ADA)?.latest.atMs).toBe(100);
  });

  it('awaits pictures while they come and none is past the end of the utterance', () => {
    const store = createVisualStore();
    expect(store.isAwaited(utteranceOf(ADA, 500), 0)).toBe(false);
    store.keep(frame('a', 400, 450), ADA, KEPT_MS);
    expect(store.isAwaited(utteranceOf(ADA, 500), 500)).toBe(true);
    expect(store.isAwaited(utteranceOf(BEN, 500), 500)).toBe(false);
    expect(store.isAwaited(utteranceOf(ADA, 400), 500)).toBe(false);
    expect(store.isAwaited(utteranceOf(ADA, 500), 2_449)).toBe(true);
    expect(store.isAwaited(utteranceOf(ADA, 500), 2_450)).toBe(false);
  });

  it('erases one modality of one speaker and leaves the rest', () => {
    const store = createVisualStore();
    store.keep(frame('a', 100), ADA, KEPT_MS);
    store.keep({ ...frame('a', 100), modality: 'body' }, ADA, KEPT_MS);
    store.keep(frame('b', 100), BEN, KEPT_MS);
    store.erase('face', ADA);
    expect(store.find('face', 'a', ADA)).toBeUndefined();
    expect(store.find('body', 'a', ADA)).toBeDefined();
    expect(store.find('face', 'b', BEN)).toBeDefined();
  });

  it('lets go of a stream that was closed half a minute ago', () => {
    const store = createVisualStore();
    const streams = createStreams(false);
    const opened = { type: 'streamOpened', kind: 'video', streamId: 'a', speaker: ADA, arrivalMs: 0 } as const;
    streams.observe(opened);
    store.keep(frame('a', 100), ADA, KEPT_MS);
    store.dropClosed(streams, 60_000);
    expect(store.find('face', 'a', ADA)).toBeDefined();
    streams.observe({ type: 'streamClosed', streamId: 'a', arrivalMs: 200, reason: 'track_ended' });
    store.dropClosed(streams, 30_100);
    expect(store.find('face', 'a', ADA)).toBeDefined();
    store.dropClosed(streams, 30_101);
    expect(store.find('face', 'a', ADA)).toBeUndefined();
  });

  it('holds a bounded number of streams; the oldest makes way', () => {
    const store = createVisualStore();
    for (let i = 0; i <= MAX_RINGS; i++) store.keep(frame(`s${i}`, 100), ADA, KEPT_MS);
    expect(store.find('face', 's0', ADA)).toBeUndefined();
    expect(store.find('face', 's1', ADA)).toBeDefined();
    expect(store.find('face', `s${MAX_RINGS}`, ADA)).toBeDefined();
  });
});
