import { WebSocket } from 'ws';
import type { ProducerMessage, ProducerServerMessage } from '../../src/protocol/live.ts';
import { SUBPROTOCOL } from '../../src/protocol/live.ts';
import { encodeMediaFrame } from '../../src/protocol/mediaFrame.ts';
import { AUDIO_FRAME, landmarkRow, type Line, type Part, ROW_MS } from './callMedia.ts';

/** The words of an utterance reach the server so long after its end. */
const CAPTION_DELAY_MS = 200;
/** Places of a participant's streams among theirs. */
const [MIC, WORDS, FACE, BODY] = [0, 1, 2, 3] as const;

/** Someone of the bundled call who talks to the server in real time. */
export type Participant = {
  readonly name: string;
  /** Wall time at which a place of the call was spoken last, at `nowMs`. */
  spokenAtMs(placeMs: number, nowMs: number): number;
  /** Sends what is over by now; returns by how many ms the first of it was late. */
  advance(nowMs: number): number;
  /** Says goodbye and resolves when the socket is closed. */
  leave(): Promise<void>;
  readonly startedMs: number;
};

/** Where a participant plays: which session, and which place of the call (`durationMs` long) belongs to wall time 0. */
export type Seat = {
  readonly url: string;
  readonly session: string;
  /** Number of the first of their streams; no other of the session has one of the four. */
  readonly firstNumber: number;
  readonly durationMs: number;
  readonly placeAt: (wallMs: number) => number;
};

/** Connects a participant and resolves once the server welcomed them. */
export async function joinCall(part: Part, seat: Seat): Promise<Participant> {
  const { durationMs, firstNumber, placeAt } = seat;
  const socket = new WebSocket(`${seat.url}/v1/stream`, [SUBPROTOCOL], { perMessageDeflate: false });
  const say = (message: ProducerMessage): void => socket.send(JSON.stringify(message));
  await opened(socket);
  say(helloOf(part.name, seat));
  const startedMs = performance.now();
  await welcomed(socket);
  const startPlaceMs = Math.round(placeAt(startedMs) / AUDIO_FRAME.ms) * AUDIO_FRAME.ms;
  const placeOf = (mediaMs: number): number => (mediaMs + startPlaceMs) % durationMs;
  const sequences: [number, number, number, number] = [0, 0, 0, 0];
  const send = (stream: 0 | 2 | 3, mediaMs: number, payload: Uint8Array): void =>
    socket.send(encodeMediaFrame({ number: firstNumber + stream, sequence: sequences[stream]++, mediaMs, payload }));
  const sendFrame = (mediaMs: number): void => {
    const at = placeOf(mediaMs) * 32;
    send(MIC, mediaMs, part.pcm.subarray(at, at + 2 * AUDIO_FRAME.samples));
  };
  const caption = ({ text, startMs, endMs }: Line, endedMs: number): void => {
    const span = { startMs: Math.max(0, endedMs - (endMs - startMs)), endMs: endedMs };
    const sequence = sequences[WORDS]++;
    say({ type: 'transcript', streamId: `words-${part.name}`, sequence, isFinal: true, text, ...span });
  };
  let sentMs = 0;
  return {
    name: part.name,
    startedMs,
    spokenAtMs: (placeMs, nowMs) => {
      const agoMs = (placeOf(nowMs - startedMs) - placeMs + durationMs) % durationMs;
      return nowMs - agoMs;
    },
    advance: (nowMs) => {
      const dueMs = nowMs - startedMs - AUDIO_FRAME.ms;
      const lateMs = dueMs - sentMs;
      for (; sentMs <= dueMs; sentMs += AUDIO_FRAME.ms) {
        sendFrame(sentMs);
        if (sentMs % ROW_MS === 0) {
          send(FACE, sentMs, landmarkRow(52, sentMs));
          send(BODY, sentMs, landmarkRow(28, sentMs));
        }
        for (const line of part.lines) {
          const agoMs = placeOf(sentMs) - line.endMs;
          const isDue = agoMs >= CAPTION_DELAY_MS && agoMs < CAPTION_DELAY_MS + AUDIO_FRAME.ms;
          if (isDue && line.isCaptioned && sentMs > agoMs) caption(line, sentMs - agoMs);
        }
      }
      return lateMs;
    },
    leave: async () => {
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      say({ type: 'bye' });
      await closed;
    },
  };
}

function helloOf(name: string, { session, firstNumber }: Seat): ProducerMessage {
  const participant = name.toLowerCase();
  const format = { encoding: 'pcm16', sampleRateHz: 16_000, channels: 1 } as const;
  return {
    type: 'hello',
    v: 1,
    session,
    participants: [{ id: participant, name }],
    streams: [
      { streamId: `mic-${name}`, number: firstNumber + MIC, participant, kind: 'audio', format },
      { streamId: `words-${name}`, number: firstNumber + WORDS, participant, kind: 'captions', language: 'en' },
      { streamId: `face-${name}`, number: firstNumber + FACE, participant, kind: 'face' },
      { streamId: `body-${name}`, number: firstNumber + BODY, participant, kind: 'body' },
    ],
  };
}

/** Resolves when a socket is open; rejects when it fails. */
export function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('error', reject);
  });
}

function welcomed(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString('utf8')) as ProducerServerMessage;
      if (message.type === 'welcome') resolve();
      if (message.type === 'error') reject(new Error(`${message.code}: ${message.message}`));
    });
    socket.once('close', (code) => reject(new Error(`closed with ${code}`)));
  });
}
