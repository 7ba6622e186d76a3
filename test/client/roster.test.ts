import { describe, expect, it } from 'vitest';
import { connect } from '../../src/client/connect.ts';
import type { Producer } from '../../src/client/producer.ts';
import type { ProducerWelcome } from '../../src/protocol/live.ts';
import { decodeProducerMessage } from '../../src/protocol/liveSchema.ts';
import { startTestServer } from '../support/liveServer.ts';
import type { FakeConnection, Heard } from '../support/fakeLiveServer.ts';
import WebSocket from 'ws';
import { statusOf, useHarness } from './harness.ts';

const harness = useHarness();
const FORMAT = { encoding: 'pcm16', sampleRateHz: 16_000, channels: 1 } as const;
const OPTIONS = {
  participant: { id: 'ada', name: 'Ada' },
  streams: [
    { streamId: 'mic', kind: 'audio', format: FORMAT },
    { streamId: 'words', kind: 'captions' },
  ],
} as const;
const POLICY = {
  participant: 'ada',
  speaker: { id: 'ada', name: 'Ada', source: 'track' },
  modalities: ['text', 'audio', 'face'] as const,
  refused: [],
};

async function live(
  welcome: Partial<ProducerWelcome> = {},
): Promise<{ producer: Producer; connection: FakeConnection }> {
  const { producer } = harness.closing(connect({ ...harness.endpoint, ...OPTIONS }));
  const connection = await harness.server.connection();
  await connection.welcomeProducer(welcome);
  await producer.ready();
  return { producer, connection };
}

async function cut(producer: Producer, connection: FakeConnection): Promise<FakeConnection> {
  connection.cut();
  await statusOf(producer, 'reconnecting');
  harness.clock.advance(1_000);
  return harness.server.connection();
}

const at = (streamId: string, nextSequence: number) => ({ streamId, nextSequence, mediaMs: 0 });
const samples = (count: number): Int16Array => new Int16Array(count).fill(7);
const words = (text: string) => ({ isFinal: true, startMs: 0, endMs: 1, text });
const briefly = (heard: readonly Heard[]): readonly string[] =>
  heard.map((one) => (one.type === 'frame' ? `${String(one.number)}:${String(one.sequence)}` : one.type));

describe('who takes part and what is sent', () => {
  it('grows while the producer is live, with numbers that were never used', async () => {
    const { producer, connection } = await live();
    producer.join({ id: 'ben', name: 'Ben', consent: ['audio'] });
    producer.openStream({ streamId: 'mic-ben', kind: 'audio', format: FORMAT, participant: 'ben' });
    producer.openStream({ streamId: 'face', kind: 'face' });
    producer.rename('ben', 'Benjamin');
    producer.sendAudio('mic-ben', samples(160));
    const heard = await connection.take(5);
    expect(heard.slice(0, 4)).toEqual([
      { type: 'join', participant: { id: 'ben', name: 'Ben', consent: ['audio'] } },
      {
        type: 'open',
        streams: [{ streamId: 'mic-ben', number: 2, kind: 'audio', format: FORMAT, participant: 'ben' }],
      },
      { type: 'open', streams: [{ streamId: 'face', number: 3, kind: 'face', participant: 'ada' }] },
      { type: 'name', participant: 'ben', name: 'Benjamin' },
    ]);
    expect(heard[4]).toMatchObject({ number: 2, sequence: 0 });
    for (const one of heard.slice(0, 4)) expect(decodeProducerMessage(JSON.stringify(one)).ok).toBe(true);
    expect(producer.stream('mic-ben')).toMatchObject({ number: 2, participant: 'ben' });
  });

  it.each<[string, (producer: Producer) => void]>([
    ['participants', (producer) => producer.join({ id: 'ada', name: 'Another' })],
    ['participant', (producer) => producer.rename('nobody', 'Nobody')],
    ['participant', (producer) => producer.openStream({ streamId: 'x', kind: 'face', participant: 'nobody' })],
    ['streams', (producer) => producer.openStream({ streamId: 'mic', kind: 'face' })],
    ['streamId', (producer) => producer.endStream('nothing')],
    ['streamId', (producer) => producer.setFormat('words', FORMAT)],
    ['streamId', (producer) => producer.refusal('nothing')],
  ])('stays as it is when %s breaks its rule', async (name, mistake) => {
    const { producer, connection } = await live();
    expect(() => mistake(producer)).toThrow(new RegExp(`^${name} .*must`));
    producer.sendTranscript('words', words('on'));
    expect((await connection.next()).type).toBe('transcript');
  });

  it('is told again after a drop, as far as it did not arrive, before any media', async () => {
    const { producer, connection } = await live();
    producer.join({ id: 'ben', name: 'Ben' });
    producer.openStream({ streamId: 'arrived', kind: 'face' });
    await connection.take(2);
    connection.cut();
    await statusOf(producer, 'reconnecting');
    producer.openStream({ streamId: 'lost', kind: 'audio', format: FORMAT, participant: 'ben' });
    producer.sendAudio('lost', samples(160));
    producer.rename('ada', 'Adelaide');
    harness.clock.advance(500);
    const second = await harness.server.connection();
    await second.welcomeProducer({
      isResumed: true,
      participants: [POLICY as never],
      streams: [at('mic', 0), at('words', 0), at('arrived', 0)],
    });
    const heard = await second.take(4);
    expect(briefly(heard)).toEqual(['join', 'open', 'name', '3:0']);
    expect(heard[1]).toMatchObject({ streams: [{ streamId: 'lost', number: 3, participant: 'ben' }] });
  });

  it('does not tell a name again that the server has', async () => {
    const { producer, connection } = await live();
    producer.rename('ada', 'Adelaide');
    await connection.next();
    const second = await cut(producer, connection);
    const speaker = { ...POLICY.speaker, name: 'Adelaide' };
    await second.welcomeProducer({ isResumed: true, participants: [{ ...POLICY, speaker } as never] });
    await statusOf(producer, 'resumed');
    producer.sendTranscript('words', words('on'));
    expect(briefly(await second.take(1))).toEqual(['transcript']);
  });
});

describe('a stream that ends', () => {
  it('takes nothing more, and its end is told after all that was given, also after a drop', async () => {
    const { producer, connection } = await live();
    producer.sendAudio('mic', samples(160));
    producer.endStream('mic');
    expect(() => producer.sendAudio('mic', samples(160))).toThrow(TypeError);
    expect(() => producer.openStream({ streamId: 'mic', kind: 'audio', format: FORMAT })).toThrow(/^streams must/);
    expect(briefly(await connection.take(2))).toEqual(['0:0', 'close']);
    const second = await cut(producer, connection);
    await second.welcomeProducer({ isResumed: true, streams: [at('mic', 0), at('words', 0)] });
    expect(briefly(await second.take(2))).toEqual(['0:0', 'close']);
    second.send({ type: 'ack', streams: [at('words', 0)] });
    await expect.poll(() => producer.counts.kept).toBe(0);
    const third = await cut(producer, second);
    await third.welcomeProducer({ isResumed: true, streams: [at('words', 0)] });
    await statusOf(producer, 'resumed');
    producer.sendTranscript('words', words('on'));
    expect(briefly(await third.take(1))).toEqual(['transcript']);
    expect(producer.counts.dropped).toEqual([]);
  });

  it('is opened again when the server never heard of it, and then ends', async () => {
    const { producer, connection } = await live();
    connection.cut();
    await statusOf(producer, 'reconnecting');
    producer.openStream({ streamId: 'short', kind: 'audio', format: FORMAT });
    producer.sendAudio('short', samples(160));
    producer.endStream('short');
    harness.clock.advance(500);
    const second = await harness.server.connection();
    await second.welcomeProducer({ isResumed: true, streams: [at('mic', 0), at('words', 0)] });
    expect(briefly(await second.take(3))).toEqual(['open', '2:0', 'close']);
  });

  it('is not told of to a server that begins anew', async () => {
    const { producer, connection } = await live();
    producer.endStream('mic');
    await connection.next();
    const second = await cut(producer, connection);
    await second.next();
    second.send({ type: 'error', code: 'RESUME_FAILED', message: 'too late', retryable: false, isFatal: true });
    second.close(4_409);
    await expect.poll(() => harness.clock.pendingMs).toEqual([750]);
    harness.clock.advance(750);
    const hello = await (await harness.server.connection()).welcomeProducer({ epoch: 2 });
    expect(hello).toMatchObject({ streams: [{ streamId: 'words', number: 1 }] });
  });

  it('and a format that changed between a hello and its welcome are told next', async () => {
    const { producer, connection } = await live();
    const second = await cut(producer, connection);
    await second.next();
    second.send({ type: 'error', code: 'RESUME_FAILED', message: 'too late', retryable: false, isFatal: true });
    second.close(4_409);
    await expect.poll(() => harness.clock.pendingMs).toEqual([750]);
    harness.clock.advance(750);
    const third = await harness.server.connection();
    await third.next();
    producer.setFormat('mic', { ...FORMAT, sampleRateHz: 8_000 });
    producer.endStream('words');
    third.send({
      ...{ type: 'welcome', v: 1, session: 's1', epoch: 2, isResumed: false, resumeToken: 'r2' },
      ...{ resumeWithinMs: 1, ringMs: 1_000, heartbeatMs: 5_000, clockMs: 0, streams: [], participants: [] },
      limits: { maxMessageBytes: 1e4, maxFrameBytes: 1e4, maxMessagesPerSecond: 100, maxBytesPerSecond: 1e6 },
    });
    expect(await third.take(2)).toEqual([
      { type: 'format', streamId: 'mic', format: { ...FORMAT, sampleRateHz: 8_000 } },
      { type: 'close', streamId: 'words' },
    ]);
  });
});

describe('a format that changes', () => {
  it('is told between the sound before and the sound after, and so again after a drop', async () => {
    const { producer, connection } = await live();
    const wide = { ...FORMAT, sampleRateHz: 48_000 };
    producer.sendAudio('mic', samples(160));
    producer.setFormat('mic', wide);
    producer.sendAudio('mic', samples(480));
    const heard = await connection.take(3);
    expect(briefly(heard)).toEqual(['0:0', 'format', '0:1']);
    expect(heard[1]).toEqual({ type: 'format', streamId: 'mic', format: wide });
    const second = await cut(producer, connection);
    await second.welcomeProducer({ isResumed: true, streams: [at('mic', 1), at('words', 0)] });
    expect(briefly(await second.take(2))).toEqual(['format', '0:1']);
    second.send({ type: 'ack', streams: [at('mic', 2), at('words', 0)] });
    await expect.poll(() => producer.counts.kept).toBe(0);
    expect(producer.counts).toMatchObject({ sent: 3, resent: 1, dropped: [] });
  });
});

describe('against the live server', () => {
  it('people, streams, formats and names that come later are understood, and none is refused', async () => {
    const server = await startTestServer({ limits: { heartbeatMs: 200 } });
    const { producer } = connect({ url: server.url, WebSocket, ...OPTIONS });
    const errors: string[] = [];
    producer.on('error', ({ code }) => errors.push(code));
    await producer.ready();
    producer.join({ id: 'ben', name: 'Ben' });
    producer.openStream({ streamId: 'mic-ben', kind: 'audio', format: FORMAT, participant: 'ben' });
    producer.sendAudio('mic-ben', samples(1_600), 0);
    producer.setFormat('mic-ben', { ...FORMAT, sampleRateHz: 48_000 });
    producer.sendAudio('mic-ben', samples(4_800), 100);
    producer.rename('ben', 'Benjamin');
    producer.endStream('mic');
    const [session] = server.sessions.all();
    await expect.poll(() => session?.participants.get('ben')?.speaker.name).toBe('Benjamin');
    const streams = (): readonly string[] =>
      [...(session?.ingest.streams() ?? [])].map(({ entry }) => entry.declaration.streamId);
    await expect.poll(streams).toEqual(['words', 'mic-ben']);
    const positions = [...(session?.ingest.streams() ?? [])].map((stream) => stream.position());
    expect(positions.find(({ streamId }) => streamId === 'mic-ben')).toMatchObject({ nextSequence: 2, mediaMs: 200 });
    expect(errors).toEqual([]);
    await producer.bye();
    await server.close();
  });
});

describe('sound that may not be measured', () => {
  it.each([
    [true, undefined],
    [undefined, 'policy'],
  ] as const)('is sent where the server hears it for its words (%s)', async (isHeardForWords, refusal) => {
    const speaker = { ...POLICY.speaker, source: 'track' } as const;
    const policy = { ...POLICY, speaker, modalities: ['text'], ...(isHeardForWords && { isHeardForWords }) } as const;
    const { producer } = await live({ participants: [policy] });
    expect(producer.refusal('mic')).toBe(refusal);
  });
});
