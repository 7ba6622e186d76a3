import { WebSocket } from 'ws';
import { SUBPROTOCOL } from '../../src/protocol/live.ts';
import { DEFAULT_ENDPOINTING } from '../../src/operators/endpointer.ts';
import type { CallMedia } from './callMedia.ts';
import { joinCall, opened, type Participant } from './participant.ts';

/** Latencies of a first answer, in ms of wall time at its reader: since speech truly ended, and since the pause was long enough. */
export type Answered = { readonly afterSpeechMs: number; readonly afterEndpointMs: number };

/** The bundled call held by two participants over one server, and somebody who reads what the server says of it. */
export type Conversation = {
  /** Sends what is over by now; returns by how many ms the latest of it was late. */
  advance(nowMs: number): number;
  leave(): Promise<void>;
};

/** A pause ends speech with the voice activity frame (32 ms) that makes it long enough. */
const VOICE_FRAME_MS = 32;
const ENDPOINT_MS = Math.ceil(DEFAULT_ENDPOINTING.gapMs / VOICE_FRAME_MS) * VOICE_FRAME_MS;

type Meant = { readonly url: string; readonly session: string; readonly startPlaceMs: number };

/**
 * Begins a conversation at a place of the call; `onAnswer` is told of the first answer to each utterance of the script, and of
 * those that no line of the script explains with undefined. @throws Error when the server refuses it
 */
export async function holdConversation(
  media: CallMedia,
  { url, session, startPlaceMs }: Meant,
  onAnswer: (answered: Answered | undefined) => void,
): Promise<Conversation> {
  const beganMs = performance.now();
  const placeAt = (wallMs: number): number => wallMs - beganMs + startPlaceMs;
  const participants: Participant[] = [];
  const { durationMs } = media;
  for (const [index, part] of media.parts.entries())
    participants.push(await joinCall(part, { url, session, firstNumber: 4 * index, durationMs, placeAt }));
  const sessionStartMs = participants[0]?.startedMs ?? beganMs;

  const hear = (line: string, nowMs: number): void => {
    if (!line.includes('"status":"provisional"') || !line.includes('"revision":0')) return;
    const { speaker, startMs, endMs } = JSON.parse(line) as {
      speaker: { name: string };
      startMs: number;
      endMs: number;
    };
    const part = media.parts.find(({ name }) => name === speaker.name);
    const participant = participants.find(({ name }) => name === speaker.name);
    const endedMs = part?.lines
      .map((said) => participant?.spokenAtMs(said.endMs, nowMs) ?? NaN)
      .find((atMs) => atMs > sessionStartMs + startMs && Math.abs(atMs - sessionStartMs - endMs) < 1_000);
    if (endedMs === undefined) return onAnswer(undefined);
    onAnswer({ afterSpeechMs: nowMs - endedMs, afterEndpointMs: nowMs - sessionStartMs - endMs - ENDPOINT_MS });
  };
  const feed = new WebSocket(`${url}/v1/feed`, [SUBPROTOCOL], { perMessageDeflate: false });
  feed.on('message', (data: Buffer) => hear(data.toString('utf8'), performance.now()));
  await opened(feed);
  feed.send(JSON.stringify({ type: 'hello', v: 1, session }));
  const heartbeat = setInterval(() => feed.send(JSON.stringify({ type: 'ping', id: 1 })), 10_000);
  return {
    advance: (nowMs) => Math.max(...participants.map((participant) => participant.advance(nowMs))),
    leave: async () => {
      clearInterval(heartbeat);
      await Promise.all(participants.map((participant) => participant.leave()));
      feed.terminate();
    },
  };
}
