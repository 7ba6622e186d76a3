import type { Random } from '../../../src/model/random.ts';
import type { ConsumerMessage, ProducerHello, ProducerMessage, StreamDeclaration } from '../../../src/protocol/live.ts';
import { encodeMediaFrame } from '../../../src/protocol/mediaFrame.ts';
import { FRAME_MS, PCM, pcmFrame } from '../liveServer.ts';
import { mutateBytes, mutateJson, pick } from './mutate.ts';

/** A message as it goes over the wire. */
export type Input = { readonly data: Uint8Array; readonly isBinary: boolean };
/** What a peer knows of its own connection, so that what it says is sometimes right. */
export type PeerState = {
  readonly session: string;
  resume: ProducerHello['resume'];
  mediaMs: number;
  sequences: Map<number, number>;
};

const WHO = ['ada', 'ben', 'cy'] as const;
const LOUD = pcmFrame(true);
const SILENT = pcmFrame(false);
const OPUS = Uint8Array.of(0x48, 1, 2, 3);
const JPEG = Uint8Array.of(0xff, 0xd8, 0xff, 0xd9);
const ROW = new Uint8Array(Float32Array.from({ length: 52 }, () => 1).buffer);
const MUTATED_SHARE = 0.7;

const STREAMS: readonly StreamDeclaration[] = [
  { streamId: 'mic-ada', number: 0, participant: 'ada', kind: 'audio', format: PCM },
  { streamId: 'words-ada', number: 1, participant: 'ada', kind: 'captions' },
  {
    streamId: 'mic-ben',
    number: 2,
    participant: 'ben',
    kind: 'audio',
    format: { ...PCM, encoding: 'mulaw', sampleRateHz: 8_000 },
  },
  { streamId: 'face-ada', number: 3, participant: 'ada', kind: 'face' },
  { streamId: 'cam', number: 4, kind: 'video' },
  { streamId: 'room', number: 5, kind: 'captions', language: 'en' },
];
const WITH_OPUS: StreamDeclaration = {
  streamId: 'opus',
  number: 6,
  kind: 'audio',
  format: { ...PCM, encoding: 'opus' },
};

/** Returns a first message; one of twenty opens a stream of Opus, whose decoder takes a while to make. */
export function helloOf({ session, resume }: PeerState, random: Random): Input {
  const streams =
    random() < 0.05 ? [...STREAMS, WITH_OPUS] : STREAMS.slice(0, 1 + Math.floor(random() * STREAMS.length));
  const participants = WHO.slice(0, 2).map((id) => ({ id, name: id.toUpperCase(), role: 'patient' }));
  return toInput({ type: 'hello', v: 1, session, participants, streams, ...(resume && { resume }) }, random, 0.05);
}

/** Returns something that a producer might say: a frame or a message, as it should be or mutated. */
export function producerInput(state: PeerState, random: Random): Input {
  return random() < 0.6 ? frameInput(state, random) : toInput(producerMessage(state, random), random, MUTATED_SHARE);
}

/** Returns something that a consumer might say. */
export function consumerInput({ session }: PeerState, random: Random): Input {
  const message: ConsumerMessage = pick(
    [{ type: 'hello', v: 1, session, after: Math.floor(random() * 20) }, { type: 'ping', id: 3 }, { type: 'bye' }],
    random,
  );
  return random() < 0.05 ? { data: LOUD, isBinary: true } : toInput(message, random, MUTATED_SHARE);
}

function toInput(message: object, random: Random, share: number): Input {
  const chance = random();
  if (chance >= share) return { data: Buffer.from(JSON.stringify(message)), isBinary: false };
  if (chance < share / 3)
    return { data: mutateBytes(Buffer.from(JSON.stringify(message)), random), isBinary: random() < 0.05 };
  return { data: Buffer.from(JSON.stringify(mutateJson(message, random)) ?? ''), isBinary: false };
}

function frameInput(state: PeerState, random: Random): Input {
  const number = Math.floor(random() * 7);
  const sequence = state.sequences.get(number) ?? 0;
  state.sequences.set(number, sequence + 1);
  state.mediaMs += FRAME_MS;
  const payload = number === 4 ? JPEG : number === 3 ? ROW : number === 6 ? OPUS : random() < 0.5 ? LOUD : SILENT;
  const frame = encodeMediaFrame({ number, sequence, mediaMs: state.mediaMs, payload });
  if (random() >= MUTATED_SHARE) return { data: frame, isBinary: true };
  return { data: random() < 0.5 ? mutateBytes(frame, random) : mutateHeader(frame, random), isBinary: true };
}

/** Puts an odd value into one field of the header, or noise after it. */
function mutateHeader(frame: Uint8Array, random: Random): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const field = random();
  if (field < 0.05) view.setUint8(Math.floor(random() * 2), Math.floor(random() * 4));
  else if (field < 0.2) view.setUint16(2, Math.floor(random() * 0x10000), true);
  else if (field < 0.6) view.setUint32(4, pick([0, 1, 2, 5, 100, 300, 0xffffffff], random), true);
  else if (field < 0.9) view.setFloat64(8, pick([0, 1e3, 1e6, 2 ** 31, -1, NaN, Infinity, 1e-300], random), true);
  else for (let i = 16; i < frame.length; i++) frame[i] = Math.floor(random() * 256);
  return frame;
}

function producerMessage({ mediaMs, sequences }: PeerState, random: Random): ProducerMessage {
  const stream = pick(STREAMS, random);
  const participant = pick(WHO, random);
  const sequence = sequences.get(1) ?? 0;
  sequences.set(1, sequence + 1);
  const words = [{ text: 'great', startMs: mediaMs, endMs: mediaMs + 200, confidence: 0.9 }];
  return pick<ProducerMessage>(
    [
      { type: 'join', participant: { id: participant, name: participant, consent: ['text', 'audio'] } },
      { type: 'open', streams: [{ ...stream, streamId: `more-${sequence}`, number: 10 + sequence }] },
      { type: 'close', streamId: stream.streamId },
      { type: 'state', streamId: stream.streamId, state: pick(['live', 'muted', 'camera_off'], random) },
      { type: 'format', streamId: 'mic-ada', format: { ...PCM, sampleRateHz: pick([8_000, 16_000, 48_000], random) } },
      {
        type: 'transcript',
        streamId: 'words-ada',
        sequence,
        isFinal: random() < 0.5,
        startMs: mediaMs,
        endMs: mediaMs + 200,
        text: 'great',
        words,
      },
      {
        type: 'transcript',
        streamId: 'room',
        sequence,
        isFinal: true,
        startMs: mediaMs,
        endMs: mediaMs,
        text: '',
        participant,
      },
      { type: 'consent', participant, modalities: pick([[], ['text'], ['text', 'audio', 'face', 'body']], random) },
      { type: 'name', participant, name: 'Somebody' },
      { type: 'sightless', streamId: 'face-ada', sequence, atMs: mediaMs, reason: 'no_face' },
      { type: 'speaker', speaker: `S${sequence}`, participant },
      { type: 'ping', id: sequence },
      ...(random() < 0.05 ? [{ type: 'bye' } as const] : []),
    ],
    random,
  );
}
