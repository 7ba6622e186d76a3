import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AudioFormat, StreamDeclaration } from '../../src/protocol/live.ts';
import { speakerFromName } from '../../src/domain/speaker.ts';
import { createAudioDecoder } from '../../src/server/ingest/decodeAudio.ts';
import { createIngest, type Ingest } from '../../src/server/ingest/ingest.ts';
import type { StreamEntry } from '../../src/server/ingest/ingestStream.ts';
import type { SourceEvent } from '../../src/server/ingest/sourceEvent.ts';

const PCM: AudioFormat = { encoding: 'pcm16', sampleRateHz: 16_000, channels: 1 };
const FRAME_MS = 20;
const SILENCE = new Uint8Array(2 * 16 * FRAME_MS);

function entry(
  declaration: Partial<StreamDeclaration> & { number: number },
  more: Partial<StreamEntry> = {},
): StreamEntry {
  const stream = {
    streamId: `s${declaration.number}`,
    kind: 'audio',
    format: PCM,
    ...declaration,
  } as StreamDeclaration;
  const decoder = stream.kind === 'audio' ? { decoder: createAudioDecoder(stream.format) } : {};
  return { producer: 'p', declaration: stream, offsetMs: 0, ...decoder, ...more };
}
const audio = (number: number, sequence: number) => ({
  number,
  sequence,
  mediaMs: sequence * FRAME_MS,
  payload: SILENCE,
});
const row = (length: number, valid: number): Uint8Array => {
  const values = new Float32Array(length).fill(0.5);
  values[length - 1] = valid;
  return new Uint8Array(values.buffer);
};
/** `audio s0 0`, `streamInterrupted s0 stalled`. */
const line = (event: SourceEvent): string =>
  [
    event.type,
    'streamId' in event ? event.streamId : '',
    'startMs' in event ? event.startMs : '',
    'reason' in event ? (event.reason ?? '') : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
const lines = (ingest: Ingest, nowMs: number): string[] => ingest.drain(nowMs).map(line);

function opened(...entries: StreamEntry[]): Ingest {
  const ingest = createIngest();
  for (const one of entries) ingest.open(one, 0);
  ingest.drain(0);
  return ingest;
}

describe('a picture that gives no row', () => {
  const face = entry({ number: 4, streamId: 'face', kind: 'face' });
  const without = (sequence: number, reason: 'face_turned' | 'vision_down') =>
    ({ type: 'sightless', streamId: 'face', sequence, atMs: sequence * 100, reason }) as const;

  it('is told with its reason, in its place among the rows, once', () => {
    const ingest = opened(face);
    const payload = row(52, 1);
    ingest.frame('p', { number: 4, sequence: 0, mediaMs: 0, payload }, 0);
    expect(ingest.sightless(without(2, 'vision_down'), 10)).toEqual([]);
    ingest.sightless(without(1, 'face_turned'), 20);
    ingest.sightless(without(1, 'face_turned'), 20);
    const seen = ingest
      .drain(1_000)
      .map((event) => (event.type === 'visual' ? [event.atMs, event.reason] : event.type));
    expect(seen).toEqual([
      [0, undefined],
      [100, 'face_turned'],
      [200, 'vision_down'],
    ]);
    expect(ingest.positions('p')).toEqual([{ streamId: 'face', nextSequence: 3, mediaMs: 200 }]);
  });

  it('keeps the stream from stalling, and is refused on a stream of sound', () => {
    const ingest = opened(face, entry({ number: 0 }));
    for (let n = 0; n < 20; n++) {
      ingest.sightless(without(n, 'face_turned'), n * 100);
      ingest.frame('p', audio(0, n), n * 100);
      ingest.tick(n * 100);
    }
    expect(lines(ingest, 5_000).filter((one) => one.includes('Interrupted'))).toEqual([]);
    expect(ingest.sightless({ ...without(0, 'face_turned'), streamId: 's0' }, 0)).toMatchObject([
      { code: 'UNKNOWN_STREAM', streamId: 's0' },
    ]);
  });
});

describe('createIngest', () => {
  it('says that a stream opened, whose it is, and passes on its sound with the time at which it is over', () => {
    const ingest = createIngest();
    const speaker = speakerFromName('Ada', 'track');
    ingest.open(entry({ number: 0 }, { speaker, offsetMs: 1_000 }), 0);
    expect(ingest.drain(0)).toEqual([
      { type: 'streamOpened', arrivalMs: 0, streamId: 's0', kind: 'audio', speaker, sampleRateHz: 16_000 },
    ]);
    ingest.frame('p', audio(0, 0), 5);
    expect(ingest.drain(5)).toMatchObject([{ type: 'audio', arrivalMs: 1_020, startMs: 1_000 }]);
  });

  it('brings two streams into the order of their media, however their frames come', () => {
    const ingest = opened(entry({ number: 0 }), entry({ number: 1 }));
    for (const sequence of [0, 1, 2]) ingest.frame('p', audio(0, sequence), 1);
    expect(lines(ingest, 1)).toEqual([]);
    for (const sequence of [0, 1]) ingest.frame('p', audio(1, sequence), 2);
    expect(lines(ingest, 2)).toEqual(['audio s0 0', 'audio s1 0', 'audio s0 20', 'audio s1 20']);
  });

  it('does not wait for a stream from which nothing comes, and says within a second that it stalled', () => {
    const ingest = opened(entry({ number: 0 }), entry({ number: 1 }));
    ingest.frame('p', audio(1, 0), 0);
    for (let n = 0; n < 50; n++) ingest.frame('p', audio(0, n), n * FRAME_MS);
    ingest.tick(900);
    const out = lines(ingest, 990);
    expect(out.filter((one) => one.startsWith('audio s0'))).toHaveLength(50);
    expect(out).toContain('streamInterrupted s1 stalled');
    ingest.frame('p', audio(1, 1), 1_000);
    expect(lines(ingest, 1_000)).toContain('streamRestored s1');
  });

  it('takes silence of a muted microphone, a camera that is off and captions for what they are', () => {
    const ingest = opened(
      entry({ number: 0 }),
      entry({ number: 1, kind: 'video' }),
      entry({ number: 2, kind: 'captions' }),
    );
    ingest.setState('s0', 'muted');
    ingest.setState('s1', 'camera_off');
    ingest.tick(60_000);
    expect(lines(ingest, 60_000)).toEqual(['streamInterrupted s0 muted', 'streamInterrupted s1 camera_off', 'time']);
    ingest.setState('s1', 'live');
    expect(lines(ingest, 60_001)).toEqual(['streamRestored s1']);
  });

  it('declares what never came as a gap', () => {
    const ingest = opened(entry({ number: 0 }));
    ingest.frame('p', audio(0, 0), 0);
    expect(lines(ingest, 0)).toEqual(['audio s0 0']);
    ingest.frame('p', audio(0, 5), 20);
    expect(lines(ingest, 20)).toEqual([]);
    ingest.tick(1_020);
    expect(lines(ingest, 1_020)).toEqual(['streamInterrupted s0 stalled', 'gap s0 20 late', 'audio s0 100']);
  });

  it('continues after a cut where it was, whatever is sent twice', () => {
    const ingest = opened(entry({ number: 0 }), entry({ number: 1 }));
    ingest.frame('p', audio(0, 0), 0);
    ingest.frame('p', audio(0, 1), 20);
    ingest.frame('p', audio(1, 0), 20);
    expect(lines(ingest, 20)).toEqual(['audio s0 0', 'audio s1 0']);
    ingest.disconnect('p');
    ingest.tick(10_000);
    expect(lines(ingest, 10_000).slice(0, 2)).toEqual([
      'streamInterrupted s0 disconnected',
      'streamInterrupted s1 disconnected',
    ]);
    ingest.reconnect('p', 10_020);
    expect(ingest.positions('p').map(({ nextSequence, mediaMs }) => [nextSequence, mediaMs])).toEqual([
      [2, 40],
      [1, 20],
    ]);
    for (const [number, sequence] of [
      [0, 1],
      [0, 2],
      [1, 0],
      [1, 1],
      [1, 2],
    ] as const)
      ingest.frame('p', audio(number, sequence), 10_030);
    expect(lines(ingest, 10_030)).toEqual([
      'streamRestored s0',
      'streamRestored s1',
      'audio s0 20',
      'audio s1 20',
      'audio s0 40',
      'audio s1 40',
    ]);
  });

  it('reads rows of faces and bodies, and says when there was nobody', () => {
    const ingest = opened(entry({ number: 0, kind: 'face' }), entry({ number: 1, kind: 'body' }));
    const send = (number: number, sequence: number, payload: Uint8Array) =>
      ingest.frame('p', { number, sequence, mediaMs: 100 * sequence, payload }, 0);
    send(0, 0, row(52, 1));
    send(0, 1, row(52, 0));
    expect(send(1, 0, row(27, 1))).toEqual([{ code: 'BAD_FRAME', streamId: 's1', rule: 'a row has 28 numbers' }]);
    expect(send(1, 1, row(28, NaN))[0]?.rule).toBe('a row has numbers from -1,000 to 1,000');
    const [face, nobody] = ingest.drain(0);
    expect(face).toMatchObject({ type: 'visual', modality: 'face', atMs: 0 });
    expect(face?.type === 'visual' && face.row?.length).toBe(52);
    expect(nobody).toEqual({
      type: 'visual',
      arrivalMs: 100,
      streamId: 's0',
      modality: 'face',
      atMs: 100,
      reason: 'no_face',
    });
  });

  it('reads pictures as JPEG only, and words with their times on the session clock', () => {
    const ingest = opened(
      entry({ number: 0, kind: 'video' }),
      entry({ number: 1, kind: 'captions' }, { offsetMs: 500 }),
    );
    const video = { number: 0, sequence: 0, mediaMs: 0, payload: Uint8Array.of(0xff, 0xd8, 1) };
    expect(ingest.frame('p', video, 0)).toEqual([]);
    expect(ingest.frame('p', { ...video, sequence: 1, payload: Uint8Array.of(1, 2) }, 0)[0]?.rule).toBe(
      'not a JPEG picture',
    );
    const words = [{ text: 'hi', startMs: 10, endMs: 20 }];
    const message = {
      type: 'transcript',
      streamId: 's1',
      sequence: 0,
      isFinal: true,
      startMs: 10,
      endMs: 20,
      text: 'hi',
      words,
    } as const;
    ingest.transcript(message, 0);
    ingest.transcript(message, 0);
    ingest.transcript({ ...message, sequence: 1, isFinal: false }, 0);
    expect(ingest.drain(0)).toEqual([
      { type: 'picture', arrivalMs: 0, streamId: 's0', atMs: 0, jpeg: Uint8Array.of(0xff, 0xd8, 1) },
      {
        type: 'transcript',
        arrivalMs: 520,
        streamId: 's1',
        startMs: 510,
        endMs: 520,
        text: 'hi',
        words: [{ text: 'hi', startMs: 510, endMs: 520 }],
      },
      { type: 'interim', arrivalMs: 520, streamId: 's1', startMs: 510, endMs: 520, text: 'hi' },
    ]);
  });

  it('does not let a stream with an absurd clock take the clock of the others along', () => {
    const ingest = createIngest(undefined, () => 5_000);
    ingest.open(entry({ number: 0 }), 0);
    ingest.open(entry({ number: 1, kind: 'captions' }), 0);
    const words = { type: 'transcript', streamId: 's1', sequence: 0, isFinal: true, text: 'hi' } as const;
    ingest.transcript({ ...words, startMs: 2e9, endMs: 2e9 }, 0);
    ingest.frame('p', audio(0, 0), 400);
    const arrivals = ingest.drain(400).map(({ type, arrivalMs }) => `${type} ${arrivalMs}`);
    expect(arrivals).toEqual(['streamOpened 0', 'streamOpened 0', 'audio 20', 'transcript 5000']);
  });

  it('refuses frames of streams that are not there or belong to another producer', () => {
    const ingest = opened(entry({ number: 0 }));
    expect(ingest.frame('p', audio(9, 0), 0)).toMatchObject([{ code: 'UNKNOWN_STREAM' }]);
    expect(ingest.frame('q', audio(0, 0), 0)).toMatchObject([{ code: 'UNKNOWN_STREAM' }]);
  });

  /** Two producers send in real time for 6 s, and one of them is away for a while; returns the sound in order. */
  const talkOfTwo = (awayMs: number): string[] => {
    const ingest = opened(entry({ number: 0 }), entry({ number: 1 }, { producer: 'q' }));
    const heard: string[] = [];
    const [fromMs, toMs] = [1_000, 1_000 + awayMs];
    for (let n = 0; n < 300; n++) {
      const nowMs = (n + 1) * FRAME_MS;
      if (awayMs > 0 && nowMs === fromMs) ingest.disconnect('p');
      if (awayMs > 0 && nowMs === toMs) {
        ingest.reconnect('p', nowMs);
        for (let again = 40; again < n; again++) ingest.frame('p', audio(0, again), nowMs);
      }
      if (nowMs < fromMs || nowMs >= toMs) ingest.frame('p', audio(0, n), nowMs);
      ingest.frame('q', audio(1, n), nowMs);
      ingest.tick(nowMs);
      heard.push(...lines(ingest, nowMs));
    }
    heard.push(...ingest.end('track_ended').map(line));
    return heard.filter((one) => one.startsWith('audio'));
  };

  it.each([20, 500, 1_400])('keeps two producers in order when one is away for %d ms', (awayMs) => {
    expect(talkOfTwo(awayMs)).toEqual(talkOfTwo(0));
  });

  it('goes on with one of two producers when the other is away for longer, and loses nothing', () => {
    const heard = talkOfTwo(3_000);
    const first = heard.indexOf('audio s0 1000');
    expect(heard.slice(0, first)).toContain('audio s1 1400');
    expect([...heard].sort()).toEqual([...talkOfTwo(0)].sort());
  });

  it('lets go unread what may not be used, and goes on counting it', () => {
    const ingest = opened(entry({ number: 0 }, { refused: 'consent' }));
    ingest.frame('p', audio(0, 0), 0);
    expect(lines(ingest, 0)).toEqual([]);
    expect(ingest.positions('p')).toEqual([{ streamId: 's0', nextSequence: 1, mediaMs: 0 }]);
    ingest.setRefused('s0', undefined);
    ingest.frame('p', audio(0, 1), 20);
    expect(lines(ingest, 20)).toEqual(['audio s0 20']);
  });

  it('ends with all that waits, and closes every stream', () => {
    const ingest = opened(entry({ number: 0 }), entry({ number: 1 }));
    ingest.frame('p', audio(0, 0), 0);
    expect(ingest.end('track_ended').map(line)).toEqual([
      'audio s0 0',
      'streamClosed s0 track_ended',
      'streamClosed s1 track_ended',
    ]);
    expect([...ingest.streams()]).toEqual([]);
  });

  it('gives the same sound in the same order whenever it is cut, shuffled within a window, doubled or delayed', () => {
    const frames = [...Array(40).keys()].map((n) => audio(n % 2, Math.floor(n / 2)));
    const story = (ingest: Ingest): string[] => lines(ingest, 100_000).filter((one) => one.startsWith('audio'));
    const calm = opened(entry({ number: 0 }), entry({ number: 1 }));
    for (const frame of frames) calm.frame('p', frame, 0);
    const expected = [
      ...story(calm),
      ...calm
        .end('track_ended')
        .map(line)
        .filter((one) => one.startsWith('audio')),
    ];
    const cut = fc.record({ at: fc.nat(39), awayMs: fc.nat(10_000), again: fc.nat(10) });
    fc.assert(
      fc.property(
        fc.array(cut, { maxLength: 4 }),
        fc.array(fc.nat(9), { minLength: 40, maxLength: 40 }),
        (cuts, jitter) => {
          const order = frames.map((frame, i) => ({ frame, at: i + (jitter[i] ?? 0) / 2 })).sort((a, b) => a.at - b.at);
          const ingest = opened(entry({ number: 0 }), entry({ number: 1 }));
          const heard: string[] = [];
          let nowMs = 0;
          const drain = (): void => void heard.push(...lines(ingest, nowMs).filter((one) => one.startsWith('audio')));
          order.forEach(({ frame }, i) => {
            for (const { awayMs, again } of cuts.filter(({ at }) => at === i)) {
              ingest.disconnect('p');
              nowMs += awayMs;
              ingest.tick(nowMs);
              drain();
              ingest.reconnect('p', nowMs);
              for (const { frame: old } of order.slice(Math.max(0, i - again), i)) ingest.frame('p', old, nowMs);
            }
            ingest.frame('p', frame, nowMs);
            drain();
          });
          heard.push(
            ...ingest
              .end('track_ended')
              .map(line)
              .filter((one) => one.startsWith('audio')),
          );
          expect(heard).toEqual(expected);
        },
      ),
    );
  });
});

describe('streams that there is no time for', () => {
  const seen = (): Ingest => opened(entry({ number: 0 }), entry({ number: 4, streamId: 'face', kind: 'face' }));
  const face = (sequence: number) => ({ number: 4, sequence, mediaMs: sequence * 100, payload: row(52, 1) });
  const VISUAL = new Set(['face', 'body', 'video'] as const);

  it('are let go unread, which is said once, and are used up all the same', () => {
    const ingest = seen();
    ingest.shed(VISUAL);
    ingest.shed(VISUAL);
    ingest.frame('p', audio(0, 0), 10);
    for (const n of [0, 1, 2]) ingest.frame('p', face(n), 10);
    expect(lines(ingest, 10)).toEqual(['streamInterrupted face overload', 'audio s0 0']);
    expect(ingest.positions('p')[1]).toEqual({ streamId: 'face', nextSequence: 3, mediaMs: 200 });
    ingest.tick(5_000);
    expect(lines(ingest, 5_000)).not.toContain('streamInterrupted face stalled');
  });

  it('are read again when there is', () => {
    const ingest = seen();
    ingest.shed(VISUAL);
    ingest.frame('p', face(0), 10);
    ingest.shed(new Set());
    ingest.frame('p', audio(0, 0), 20);
    ingest.frame('p', face(1), 20);
    expect(lines(ingest, 400)).toEqual([
      'streamInterrupted face overload',
      'streamRestored face',
      'audio s0 0',
      'visual face',
    ]);
  });

  it('include those that open meanwhile', () => {
    const ingest = opened(entry({ number: 0 }));
    ingest.shed(VISUAL);
    ingest.open(entry({ number: 4, streamId: 'face', kind: 'face' }), 0);
    expect(lines(ingest, 0)).toEqual(['streamOpened face', 'streamInterrupted face overload']);
  });

  it('stay off, or away, for the reason that they were, and have no time when they come back', () => {
    const ingest = seen();
    ingest.setState('face', 'camera_off');
    ingest.shed(VISUAL);
    expect(lines(ingest, 0)).toEqual(['streamInterrupted face camera_off']);
    ingest.setState('face', 'live');
    expect(lines(ingest, 0)).toEqual(['streamInterrupted face overload']);
    ingest.disconnect('p');
    ingest.shed(new Set());
    expect(lines(ingest, 0)).toEqual(['streamInterrupted s0 disconnected', 'streamInterrupted face disconnected']);
    ingest.reconnect('p', 0);
    expect(lines(ingest, 0)).toEqual(['streamRestored s0', 'streamRestored face']);
  });
});
