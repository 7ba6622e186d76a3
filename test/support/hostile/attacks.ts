import { once } from 'node:events';
import { deflateRawSync } from 'node:zlib';
import { encodeMediaFrame } from '../../../src/protocol/mediaFrame.ts';
import { connectPeer, type LivePeer, producerWelcome } from '../livePeer.ts';
import { FRAME_MS, pcmFrame, streamsOf } from '../liveServer.ts';
import { closeCodeOf, connectRaw, rawFrame, type RawSocket, upgradeRaw, upgradeRequest } from './rawSocket.ts';

const BINARY = 0x82;
const RSV1 = 0x40;
const TEXT = 0x81;

/** How slow peers begin: they say nothing, half a request, half a request to upgrade, or a body that never ends. */
export const SLOW_BEGINNINGS = ['nothing', 'a request', 'an upgrade', 'a body'] as const;
/** One of {@link SLOW_BEGINNINGS}. */
export type SlowBeginning = (typeof SLOW_BEGINNINGS)[number];

/** Opens `count` connections that drip on, a byte of header now and then; resolves when the server has closed all. */
export async function slowLoris(url: string, count: number, beginning: SlowBeginning): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: count }, () => connectRaw(url)));
  const request = {
    nothing: '',
    'a request': 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n',
    'an upgrade': upgradeRequest('/v1/stream').slice(0, -2),
    'a body':
      'POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
  }[beginning];
  for (const { socket } of sockets) socket.write(request);
  const drip = setInterval(() => {
    if (beginning !== 'nothing')
      for (const { socket } of sockets) socket.write(beginning === 'a body' ? ' ' : 'X-Drip: 1\r\n');
  }, 100);
  await Promise.all(sockets.map(({ closed }) => closed));
  clearInterval(drip);
}

/** What became of connections that never said hello, by their HTTP status or close code. */
export type Outcomes = Readonly<Record<string, number>>;

/** Opens `count` WebSockets, `atOnce` at a time, and says nothing; resolves when the server has closed or refused all. */
export async function withoutHello(url: string, count: number, atOnce = 100): Promise<Outcomes> {
  const outcomes: Record<string, number> = {};
  const end = async (raw: RawSocket): Promise<void> => {
    await raw.closed;
    const [, status = 'cut'] = /^HTTP\/1\.1 (\d+)/.exec(raw.said()) ?? [];
    const outcome = status === '101' ? String(closeCodeOf(raw)) : status;
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  };
  const ends: Promise<void>[] = [];
  for (let opened = 0; opened < count; opened += atOnce)
    await Promise.all(
      Array.from({ length: Math.min(atOnce, count - opened) }, async () => {
        const raw = await connectRaw(url).catch(() => undefined);
        if (!raw) return void (outcomes['refused'] = (outcomes['refused'] ?? 0) + 1);
        raw.socket.write(upgradeRequest('/v1/stream'));
        await Promise.race([raw.until(/\r\n\r\n/).catch(() => undefined), raw.closed]);
        ends.push(end(raw));
      }),
    );
  await Promise.all(ends);
  return outcomes;
}

/** Begins a message that says it has a gigabyte and sends on until it is cut; returns bytes sent and the close code. */
export async function hugeMessage(
  url: string,
): Promise<{ readonly sentBytes: number; readonly closeCode: number | undefined }> {
  const raw = await upgradeRaw(url, '/v1/stream');
  const chunk = Buffer.alloc(65_536, 1);
  raw.socket.write(rawFrame(BINARY, Buffer.alloc(0), 2 ** 30));
  let sentBytes = 0;
  while (!raw.socket.destroyed && sentBytes < 2 ** 30) {
    sentBytes += chunk.length;
    if (!raw.socket.write(chunk)) await Promise.race([once(raw.socket, 'drain').catch(() => undefined), raw.closed]);
  }
  await raw.closed;
  return { sentBytes, closeCode: closeCodeOf(raw) };
}

/** Offers compression and sends a megabyte of zeros, compressed, whatever was agreed; returns the answer and the close code. */
export async function compressedBomb(
  url: string,
): Promise<{ readonly answer: string; readonly closeCode: number | undefined }> {
  const raw = await upgradeRaw(url, '/v1/stream', [
    'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
  ]);
  const answer = raw.said();
  raw.socket.write(rawFrame(TEXT | RSV1, deflateRawSync(Buffer.alloc(1_000_000))));
  await raw.closed;
  return { answer, closeCode: closeCodeOf(raw) };
}

/** Sends a message in a great many pieces; returns the close code. */
export async function manyFragments(url: string, count: number): Promise<number | undefined> {
  const raw = await upgradeRaw(url, '/v1/stream');
  const empty = rawFrame(0x00, Buffer.alloc(0));
  raw.socket.write(rawFrame(0x01, Buffer.of(0x7b)));
  raw.socket.write(Buffer.concat(Array.from({ length: count }, () => empty)));
  await raw.closed;
  return closeCodeOf(raw);
}

/** Sends WebSocket pings, which the server's library answers by itself; returns the close code. */
export async function pingFlood(url: string, count: number): Promise<number | undefined> {
  const raw = await upgradeRaw(url, '/v1/stream');
  raw.socket.write(Buffer.concat(Array.from({ length: count }, () => rawFrame(0x89, Buffer.alloc(100)))));
  await raw.closed;
  return closeCodeOf(raw);
}

/** A producer that sends `seconds` of sound as fast as it is read; `sentMs` is how far it has come. */
export async function fastProducer(
  url: string,
  session: string,
): Promise<{ readonly peer: LivePeer; readonly send: (seconds: number) => void }> {
  const peer = await connectPeer(url);
  peer.say({ type: 'hello', v: 1, session, participants: [{ id: 'ada', name: 'Ada' }], streams: streamsOf('ada') });
  await producerWelcome(peer);
  let sequence = 0;
  return {
    peer,
    send: (seconds) => {
      for (const end = sequence + (seconds * 1_000) / FRAME_MS; sequence < end; sequence++)
        peer.raw(
          encodeMediaFrame({
            number: 0,
            sequence,
            mediaMs: sequence * FRAME_MS,
            payload: pcmFrame(sequence % 150 < 100),
          }),
        );
    },
  };
}

/** A consumer that asks for a session and then reads no byte more. */
export async function deafConsumer(url: string, session: string): Promise<RawSocket> {
  const raw = await upgradeRaw(url, '/v1/feed');
  raw.socket.write(rawFrame(TEXT, Buffer.from(JSON.stringify({ type: 'hello', v: 1, session }))));
  await raw.until(/"type":"welcome"/);
  raw.socket.pause();
  return raw;
}
