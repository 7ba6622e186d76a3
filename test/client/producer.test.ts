import { describe, expect, it } from 'vitest';
import { connect } from '../../src/client/connect.ts';
import type { Producer } from '../../src/client/producer.ts';
import { MAX_TEXT_CHARS } from '../../src/client/transcript.ts';
import type { ProducerWelcome } from '../../src/protocol/live.ts';
import { decodeProducerMessage, MAX_TRANSCRIPT_CHARS } from '../../src/protocol/liveSchema.ts';
import type { MediaFrame } from '../../src/protocol/mediaFrame.ts';
import { LIMITS, type FakeConnection, type Heard } from '../support/fakeLiveServer.ts';
import { eventOf, statusOf, useHarness } from './harness.ts';

const harness = useHarness();
const FORMAT = { encoding: 'pcm16', sampleRateHz: 16_000, channels: 1 } as const;
const OPTIONS = {
  participant: { id: 'ada', name: 'Ada', role: 'agent' },
  purpose: 'customer_service',
  client: 'test/1',
  streams: [
    { streamId: 'mic', kind: 'audio', format: FORMAT },
    { streamId: 'face', kind: 'face' },
    { streamId: 'camera', kind: 'video' },
    { streamId: 'words', kind: 'captions', language: 'en' },
    { streamId: 'opus', kind: 'audio', format: { ...FORMAT, encoding: 'opus' } },
    { streamId: 'stereo', kind: 'audio', format: { ...FORMAT, channels: 2 } },
  ],
} as const;

function produce(options: object = {}): Producer {
  return harness.closing(connect({ ...harness.endpoint, ...OPTIONS, ...options })).producer;
}

async function live(
  options: object = {},
  welcome: Partial<ProducerWelcome> = {},
): Promise<{ producer: Producer; connection: FakeConnection; hello: Heard }> {
  const producer = produce(options);
  const connection = await harness.server.connection();
  const hello = await connection.welcomeProducer(welcome);
  await producer.ready();
  return { producer, connection, hello };
}

/** Cuts the connection, and takes the one that comes next; its hello is not answered yet. */
async function cut(producer: Producer, connection: FakeConnection): Promise<FakeConnection> {
  connection.cut();
  await statusOf(producer, 'reconnecting');
  harness.clock.advance(1_000);
  return harness.server.connection();
}

const at = (streamId: string, nextSequence: number) => ({ streamId, nextSequence, mediaMs: 0 });
const sequences = (heard: readonly Heard[]): readonly string[] =>
  heard.map((one) => (one.type === 'frame' ? `${String(one.number)}:${String(one.sequence)}` : one.type));
const frameOf = (heard: Heard): MediaFrame => heard as MediaFrame & Heard;
const samples = (count: number): Int16Array => new Int16Array(count).fill(7);

describe('a producer', () => {
  it('says hello with its participants and numbered streams, which are its only participant’s', async () => {
    const { hello } = await live({ session: 'mine' });
    expect(hello).toEqual({
      type: 'hello',
      v: 1,
      session: 'mine',
      purpose: 'customer_service',
      client: 'test/1',
      participants: [OPTIONS.participant],
      streams: OPTIONS.streams.map((stream, number) => ({ ...stream, number, participant: 'ada' })),
    });
    expect(decodeProducerMessage(JSON.stringify(hello)).ok).toBe(true);
  });

  it('sends samples as PCM16, one after the other without a hole in time', async () => {
    const { producer, connection } = await live();
    harness.clock.advance(100);
    producer.sendAudio('mic', Float32Array.of(0, 1, -1, 2, NaN, 0.5));
    producer.sendAudio('mic', samples(1_600));
    const [first, second] = (await connection.take(2)).map(frameOf);
    expect([...new Int16Array(first!.payload.slice().buffer)]).toEqual([0, 32_767, -32_767, 32_767, 0, 16_384]);
    expect(first).toMatchObject({ number: 0, sequence: 0, mediaMs: 100 - 6 / 16 });
    expect(second).toMatchObject({ number: 0, sequence: 1, mediaMs: 100 });
  });

  it('goes by the clock again after a pause, and by the caller when the time is given', async () => {
    const { producer, connection } = await live();
    harness.clock.advance(100);
    producer.sendAudio('mic', samples(1_600));
    harness.clock.advance(2_000);
    producer.sendAudio('mic', samples(1_600));
    producer.sendAudio('mic', samples(1_600), 5_000);
    expect((await connection.take(3)).map((one) => frameOf(one).mediaMs)).toEqual([0, 2_000, 5_000]);
  });

  it('sends long sound in frames of a second, which any server takes', async () => {
    const { producer, connection } = await live();
    producer.sendAudio('mic', samples(40_000), 0);
    const frames = (await connection.take(3)).map(frameOf);
    expect(frames.map(({ payload }) => payload.length)).toEqual([32_000, 32_000, 16_000]);
  });

  it('splits samples that are longer than a frame may be, at whole samples of all channels', async () => {
    const { producer, connection } = await live({}, { limits: { ...LIMITS, maxFrameBytes: 16 + 10 } });
    producer.sendAudio('stereo', samples(12), 1_000);
    const frames = (await connection.take(3)).map(frameOf);
    expect(frames.map(({ payload, mediaMs }) => [payload.length, mediaMs])).toEqual([
      [8, 1_000],
      [8, 1_000.125],
      [8, 1_000.25],
    ]);
  });

  it('sends landmarks, pictures, packets and words, each counted by itself', async () => {
    const { producer, connection } = await live();
    harness.clock.advance(40);
    producer.sendLandmarks('face', [0.5, -2]);
    producer.sendMedia('camera', Uint8Array.of(9), 33);
    producer.sendMedia('opus', Uint8Array.of(8), 20);
    producer.sendTranscript('words', { isFinal: true, startMs: 1, endMs: 2, text: 'one' });
    producer.sendTranscript('words', { isFinal: false, startMs: 2, endMs: 3, text: 'two', words: [] });
    const [face, camera, opus, ...words] = await connection.take(5);
    expect([...new Float32Array(frameOf(face!).payload.slice().buffer)]).toEqual([0.5, -2]);
    expect(face).toMatchObject({ number: 1, sequence: 0, mediaMs: 40 });
    expect(camera).toMatchObject({ number: 2, sequence: 0, mediaMs: 33 });
    expect(opus).toMatchObject({ number: 4, sequence: 0, mediaMs: 20 });
    expect(words).toEqual([
      { type: 'transcript', streamId: 'words', sequence: 0, isFinal: true, startMs: 1, endMs: 2, text: 'one' },
      {
        type: 'transcript',
        streamId: 'words',
        sequence: 1,
        isFinal: false,
        startMs: 2,
        endMs: 3,
        text: 'two',
        words: [],
      },
    ]);
    for (const one of words) expect(decodeProducerMessage(JSON.stringify(one)).ok).toBe(true);
    expect(producer.counts).toMatchObject({ sent: 5, resent: 0, kept: 5, dropped: [] });
  });

  it('says why a picture gave no row, with the number that the row would have had', async () => {
    const { producer, connection } = await live();
    producer.sendLandmarks('face', [1], 10);
    producer.sendSightless('face', 'face_turned', 110);
    producer.sendLandmarks('face', [1], 210);
    const heard = await connection.take(3);
    expect(sequences(heard)).toEqual(['1:0', 'sightless', '1:2']);
    const told = { type: 'sightless', streamId: 'face', sequence: 1, atMs: 110, reason: 'face_turned' };
    expect(heard[1]).toEqual(told);
    expect(decodeProducerMessage(JSON.stringify(told)).ok).toBe(true);
    expect(decodeProducerMessage(JSON.stringify({ ...told, reason: 'consent' })).ok).toBe(false);
  });

  it.each<[string, (producer: Producer) => unknown]>([
    ['streamId', (producer) => producer.sendAudio('nothing', samples(1))],
    ['streamId', (producer) => producer.sendSightless('camera', 'no_face')],
    ['atMs', (producer) => producer.sendSightless('face', 'no_face', -1)],
    ['streamId', (producer) => producer.sendAudio('opus', samples(1))],
    ['streamId', (producer) => producer.sendAudio('face', samples(1))],
    ['streamId', (producer) => producer.sendLandmarks('camera', [1])],
    ['streamId', (producer) => producer.sendMedia('face', Uint8Array.of(1))],
    ['streamId', (producer) => producer.sendTranscript('mic', { isFinal: true, startMs: 0, endMs: 0, text: '' })],
    ['streamId', (producer) => producer.mute('nothing')],
    ['participant', (producer) => producer.setConsent('nobody', [])],
    ['samples', (producer) => producer.sendAudio('stereo', samples(3))],
    ['mediaMs', (producer) => producer.sendAudio('mic', samples(1), -1)],
    ['mediaMs', (producer) => producer.sendMedia('opus', Uint8Array.of(1), NaN)],
    ['a frame', (producer) => producer.sendMedia('opus', new Uint8Array(0), 0)],
    ['row\\[1\\]', (producer) => producer.sendLandmarks('face', [0, NaN])],
    ['endMs', (producer) => producer.sendTranscript('words', { isFinal: true, startMs: 2, endMs: 1, text: '' })],
    ['startMs', (producer) => producer.sendTranscript('words', { isFinal: true, startMs: -1, endMs: 1, text: '' })],
    [
      'text',
      (producer) =>
        producer.sendTranscript('words', { isFinal: true, startMs: 0, endMs: 1, text: 'x'.repeat(MAX_TEXT_CHARS + 1) }),
    ],
  ])('throws when %s breaks its rule, and sends nothing', async (name, mistake) => {
    const { producer, connection } = await live();
    expect(() => mistake(producer)).toThrow(new RegExp(`^${name} must`));
    producer.sendMedia('opus', Uint8Array.of(1), 0);
    expect(sequences(await connection.take(1))).toEqual(['4:0']);
  });

  it('knows the longest text of the protocol', () => {
    expect(MAX_TEXT_CHARS).toBe(MAX_TRANSCRIPT_CHARS);
  });
});

describe('a producer that was cut off', () => {
  it('resumes with its token, and sends what was not used, once and in order, and what came meanwhile', async () => {
    const { producer, connection } = await live({}, { epoch: 3, resumeToken: 'r7' });
    for (let index = 0; index < 5; index++) producer.sendMedia('opus', Uint8Array.of(index), index * 20);
    producer.sendLandmarks('face', [1], 90);
    await connection.take(6);
    connection.send({ type: 'ack', streams: [at('opus', 2)] });
    await expect.poll(() => producer.counts.kept).toBe(4);
    connection.cut();
    await statusOf(producer, 'reconnecting');
    producer.sendMedia('opus', Uint8Array.of(5), 100);
    harness.clock.advance(500);
    const second = await harness.server.connection();
    const hello = await second.welcomeProducer({
      isResumed: true,
      epoch: 3,
      resumeToken: 'r8',
      streams: [at('opus', 3), at('face', 1)],
    });
    expect(hello).toEqual({
      type: 'hello',
      v: 1,
      session: 's1',
      participants: [],
      streams: [],
      resume: { token: 'r7', epoch: 3 },
    });
    expect(decodeProducerMessage(JSON.stringify(hello)).ok).toBe(true);
    const again = await second.take(3);
    expect(sequences(again)).toEqual(['4:3', '4:4', '4:5']);
    expect(frameOf(again[2]!).payload).toEqual(Uint8Array.of(5));
    expect(producer.counts).toMatchObject({ sent: 9, resent: 2, dropped: [] });
    const third = await cut(producer, second);
    expect(await third.next()).toMatchObject({ resume: { token: 'r8' } });
  });

  it('counts what the server wants and the ring no longer has', async () => {
    const { producer, connection } = await live({}, { ringMs: 1_000 });
    for (let ms = 0; ms <= 3_000; ms += 500) producer.sendMedia('opus', Uint8Array.of(1), ms);
    await connection.take(7);
    expect(producer.counts.dropped).toEqual([]);
    const second = await cut(producer, connection);
    const dropped = eventOf(producer, 'dropped');
    await second.welcomeProducer({ isResumed: true, streams: [at('opus', 1)] });
    expect(await dropped).toEqual({ streamId: 'opus', reason: 'ring_full', count: 3 });
    expect(sequences(await second.take(3))).toEqual(['4:4', '4:5', '4:6']);
  });

  it('keeps to the bytes it was given while it is away, and lets pictures go before sound', async () => {
    const { producer, connection } = await live({ maxRingBytes: 500 });
    connection.cut();
    await statusOf(producer, 'reconnecting');
    for (let index = 0; index < 10; index++) {
      producer.sendMedia('camera', new Uint8Array(84), index);
      producer.sendMedia('opus', new Uint8Array(34), index);
    }
    expect(producer.counts.keptBytes).toBeLessThanOrEqual(500);
    expect(producer.counts.dropped).toEqual([{ streamId: 'camera', reason: 'ring_full', count: 10 }]);
    harness.clock.advance(500);
    const second = await harness.server.connection();
    await second.welcomeProducer({ isResumed: true, streams: [] });
    expect((await second.take(10)).every((one) => one['number'] === 4)).toBe(true);
  });

  it('begins anew when the server has forgotten it: names, streams, numbers and media time', async () => {
    const { producer, connection } = await live();
    producer.sendMedia('opus', Uint8Array.of(1), 0);
    await connection.take(1);
    const second = await cut(producer, connection);
    await second.welcomeProducer({ isResumed: false, epoch: 2 });
    expect(await statusOf(producer, 'live')).toMatchObject({ epoch: 2 });
    expect((await second.take(2)).map(({ type }) => type)).toEqual(['join', 'open']);
    expect(producer.counts.dropped).toEqual([{ streamId: 'opus', reason: 'new_epoch', count: 1 }]);
  });

  it('begins anew when its token is no longer good, on a media clock that begins anew too', async () => {
    const { producer, connection } = await live();
    const second = await cut(producer, connection);
    await second.next();
    second.send({ type: 'error', code: 'RESUME_FAILED', message: 'too late', retryable: false, isFatal: true });
    second.close(4_409);
    await expect.poll(() => harness.clock.pendingMs).toEqual([750]);
    harness.clock.advance(750);
    const third = await harness.server.connection();
    const hello = await third.welcomeProducer({ epoch: 2 });
    await statusOf(producer, 'live');
    expect(hello).toMatchObject({ session: 's1', participants: [{ id: 'ada' }] });
    expect(hello).not.toHaveProperty('resume');
    expect(producer.mediaMs).toBe(1_750);
    expect(producer.sendMedia('opus', Uint8Array.of(1), 1_500)).toBe(false);
    producer.sendMedia('opus', Uint8Array.of(2), 2_000);
    expect(await third.next()).toMatchObject({ sequence: 0, mediaMs: 250 });
  });

  it('does not come back when it was evicted', async () => {
    const { producer, connection } = await live();
    connection.send({ type: 'error', code: 'EVICTED', message: 'another came', retryable: false, isFatal: true });
    connection.close(4_409);
    expect(await statusOf(producer, 'closed')).toMatchObject({ error: { code: 'EVICTED' } });
    expect(producer.sendMedia('opus', Uint8Array.of(1), 0)).toBe(false);
    expect(producer.counts.dropped).toEqual([{ streamId: 'opus', reason: 'closed', count: 1 }]);
  });

  it('says that the server goes away, and comes back when it has', async () => {
    const { producer, connection } = await live();
    const goaway = eventOf(producer, 'goaway');
    connection.send({ type: 'goaway', leftMs: 3_000, reason: 'shutdown' });
    expect(await goaway).toMatchObject({ leftMs: 3_000, reason: 'shutdown' });
    producer.sendMedia('opus', Uint8Array.of(1), 0);
    await connection.take(1);
    connection.close(1_001);
    await statusOf(producer, 'reconnecting');
    harness.clock.advance(500);
    await (await harness.server.connection()).welcomeProducer({ isResumed: true, streams: [at('opus', 1)] });
    await statusOf(producer, 'resumed');
  });
});

describe('what a producer does not send', () => {
  it('is nothing before it is live, since there is no clock yet', async () => {
    const producer = produce();
    expect(producer.sendAudio('mic', samples(160))).toBe(false);
    expect(producer.mediaMs).toBe(0);
    expect(producer.counts.dropped).toEqual([{ streamId: 'mic', reason: 'before_live', count: 1 }]);
    await (await harness.server.connection()).welcomeProducer();
    await producer.ready();
    expect(producer.sendAudio('mic', samples(160))).toBe(true);
  });

  it('is what is muted, also on a connection that came later', async () => {
    const { producer, connection } = await live();
    producer.mute('mic');
    producer.mute('camera');
    expect(await connection.take(2)).toEqual([
      { type: 'state', streamId: 'mic', state: 'muted' },
      { type: 'state', streamId: 'camera', state: 'camera_off' },
    ]);
    expect(producer.sendAudio('mic', samples(160))).toBe(false);
    const second = await cut(producer, connection);
    producer.unmute('camera');
    await second.welcomeProducer({ isResumed: true });
    expect(await second.take(2)).toEqual([
      { type: 'state', streamId: 'mic', state: 'muted' },
      { type: 'state', streamId: 'camera', state: 'live' },
    ]);
    producer.unmute('mic');
    producer.sendAudio('mic', samples(160));
    expect(sequences(await second.take(2))).toEqual(['state', '0:0']);
    expect(producer.counts.dropped).toEqual([{ streamId: 'mic', reason: 'muted', count: 1 }]);
  });

  it('is what its participant does not agree to, and what was kept of it is erased', async () => {
    const { producer, connection } = await live();
    connection.cut();
    await statusOf(producer, 'reconnecting');
    producer.sendLandmarks('face', [1], 0);
    producer.sendMedia('camera', Uint8Array.of(1), 0);
    producer.sendMedia('opus', Uint8Array.of(1), 0);
    producer.setConsent('ada', ['text', 'body']);
    expect(producer.sendLandmarks('face', [1], 10)).toBe(false);
    expect(producer.refusal('face')).toBe('consent');
    harness.clock.advance(500);
    const second = await harness.server.connection();
    await second.welcomeProducer({ isResumed: true });
    const heard = await second.take(2);
    expect(heard[0]).toEqual({ type: 'consent', participant: 'ada', modalities: ['text', 'body'] });
    expect(sequences(heard.slice(1))).toEqual(['2:0']);
    expect(producer.counts.dropped).toEqual([
      { streamId: 'face', reason: 'consent', count: 2 },
      { streamId: 'opus', reason: 'consent', count: 1 },
    ]);
  });

  it('is sound, where only its words are agreed to: sound is no text', async () => {
    const { producer, connection } = await live();
    producer.setConsent('ada', ['text']);
    expect(producer.sendAudio('mic', samples(160))).toBe(false);
    expect(producer.sendTranscript('words', { isFinal: true, startMs: 0, endMs: 1, text: 'yes' })).toBe(true);
    expect((await connection.take(2)).map(({ type }) => type)).toEqual(['consent', 'transcript']);
    expect(producer.counts.dropped).toEqual([{ streamId: 'mic', reason: 'consent', count: 1 }]);
  });

  it('is what the server may make nothing of, until it may', async () => {
    const policy = (...modalities: string[]) => [{ participant: 'ada', speaker: {}, modalities, refused: [] }] as never;
    const { producer, connection } = await live({}, { participants: policy('audio', 'text') });
    expect(producer.refusal('face')).toBe('policy');
    expect(producer.sendLandmarks('face', [1], 0)).toBe(false);
    expect(producer.sendAudio('mic', samples(160))).toBe(true);
    expect(producer.counts.dropped).toEqual([{ streamId: 'face', reason: 'policy', count: 1 }]);
    const told = eventOf(producer, 'policy');
    connection.send({ type: 'policy', participants: policy('audio', 'face') });
    await told;
    expect(producer.refusal('face')).toBeUndefined();
    expect(producer.sendLandmarks('face', [1], 0)).toBe(true);
  });

  it('is what is larger than the server takes', async () => {
    const { producer, connection } = await live(
      {},
      { limits: { ...LIMITS, maxFrameBytes: 100, maxMessageBytes: 200 } },
    );
    expect(producer.sendMedia('camera', new Uint8Array(85), 0)).toBe(false);
    expect(producer.sendTranscript('words', { isFinal: true, startMs: 0, endMs: 1, text: 'ö'.repeat(80) })).toBe(false);
    expect(producer.sendMedia('camera', new Uint8Array(84), 0)).toBe(true);
    expect(sequences(await connection.take(1))).toEqual(['2:0']);
    expect(producer.counts.dropped.map(({ reason, count }) => [reason, count])).toEqual([
      ['too_big', 1],
      ['too_big', 1],
    ]);
  });

  it('is pictures and then landmarks when the network takes less than is given, and never sound', async () => {
    const { producer, connection } = await live({ highWaterBytes: 10_000 }, { ringMs: 1_000_000 });
    connection.stall();
    let sent = 0;
    const soundUntil = (reason: string, streamId: string, give: () => boolean): void => {
      for (let tries = 0; tries < 20_000; tries++) {
        if (!give()) break;
        if (producer.sendMedia('opus', new Uint8Array(20_000), sent)) sent++;
      }
      expect(producer.counts.dropped.at(-1)).toEqual({ streamId, reason, count: 1 });
    };
    soundUntil('backpressure', 'camera', () => producer.sendMedia('camera', new Uint8Array(5_000), sent));
    expect(producer.sendMedia('opus', Uint8Array.of(1), sent)).toBe(true);
    expect(producer.counts.dropped.every(({ streamId }) => streamId === 'camera')).toBe(true);
    connection.unstall();
  });

  it('waits when it is more than the server allows in a second, and then goes on in order', async () => {
    const { producer, connection } = await live({}, { limits: { ...LIMITS, maxMessagesPerSecond: 10 } });
    for (let index = 0; index < 20; index++) producer.sendMedia('opus', Uint8Array.of(1), index);
    expect(producer.counts).toMatchObject({ sent: 8, kept: 20, dropped: [] });
    harness.clock.advance(1_000);
    expect(producer.counts.sent).toBeGreaterThanOrEqual(15);
    expect(producer.counts.sent).toBeLessThanOrEqual(16);
    harness.clock.advance(1_000);
    expect(sequences(await connection.take(20))).toEqual(Array.from({ length: 20 }, (_, index) => `4:${index}`));
  });
});

describe('a producer that sends faster than in real time', () => {
  it('learns when all is with the socket', async () => {
    const { producer } = await live({}, { limits: { ...LIMITS, maxMessagesPerSecond: 10 } });
    await producer.drained();
    const sentAtEnd: number[] = [];
    for (let index = 0; index < 10; index++) producer.sendMedia('opus', Uint8Array.of(1), index);
    const both = [producer.drained(), producer.drained()].map((end) =>
      end.then(() => sentAtEnd.push(producer.counts.sent)),
    );
    expect(producer.counts.sent).toBe(8);
    harness.clock.advance(500);
    await Promise.all(both);
    expect(sentAtEnd).toEqual([10, 10]);
  });

  it('does not wait for ever when the connection is closed', async () => {
    const { producer, connection } = await live();
    connection.cut();
    await statusOf(producer, 'reconnecting');
    producer.sendMedia('opus', Uint8Array.of(1), 0);
    const end = producer.drained();
    producer.close();
    await end;
    expect(producer.counts.dropped).toEqual([{ streamId: 'opus', reason: 'closed', count: 1 }]);
  });
});

describe('the bye of a producer', () => {
  it('comes after all that waits, and ends without an error', async () => {
    const { producer, connection } = await live({}, { limits: { ...LIMITS, maxMessagesPerSecond: 10 } });
    for (let index = 0; index < 10; index++) producer.sendMedia('opus', Uint8Array.of(1), index);
    const over = producer.bye();
    expect(producer.sendMedia('opus', Uint8Array.of(1), 11)).toBe(false);
    harness.clock.advance(500);
    expect((await connection.take(11)).at(-1)).toEqual({ type: 'bye' });
    connection.send({ type: 'ended', reason: 'bye' });
    connection.close(1_000);
    await over;
    expect(producer.status).toEqual({ state: 'closed', closeCode: 1_000, reason: 'bye' });
    expect(producer.counts).toMatchObject({ kept: 0, dropped: [{ reason: 'closed', count: 1 }] });
    await producer.bye();
    expect(connection.pending).toEqual([]);
  });

  it('waits for a connection that is away, but not for ever', async () => {
    const { producer, connection } = await live();
    connection.cut();
    await statusOf(producer, 'reconnecting');
    const over = producer.bye();
    harness.clock.advance(10_000);
    await over;
    expect(producer.status).toEqual({ state: 'closed', closeCode: 1_000 });
  });
});

describe('what a server says to a producer', () => {
  it('is given on: policies and errors that do not end the connection', async () => {
    const { producer, connection } = await live();
    const policy = eventOf(producer, 'policy');
    const error = eventOf(producer, 'error');
    const policies = [{ participant: 'ada', modalities: ['text'], refused: [] }];
    connection.send(
      'no JSON',
      '[]',
      { type: 'invented' },
      { type: 'ack', streams: [{ streamId: 7 }] },
      { type: 'policy', participants: policies },
      { type: 'error', code: 'UNKNOWN_STREAM', message: 'x', retryable: false, isFatal: false, streamId: 'x' },
    );
    expect(await policy).toEqual(policies);
    expect(await error).toMatchObject({ code: 'UNKNOWN_STREAM', streamId: 'x' });
    expect(producer.status.state).toBe('live');
  });
});
