import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { SUBPROTOCOL } from '../../../src/protocol/live.ts';

/** A connection that says bytes, as a peer without manners does. */
export type RawSocket = {
  readonly socket: Socket;
  /** What the server said up to now, as Latin-1. */
  readonly said: () => string;
  /** Resolves when the server has said something that matches, or rejects when it closed without. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  readonly closed: Promise<void>;
};

/** Connects to a server; nothing is said yet. */
export async function connectRaw(url: string): Promise<RawSocket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let said = '';
  socket.setEncoding('latin1').on('data', (text: string) => (said += text));
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await once(socket, 'connect');
  return {
    socket,
    said: () => said,
    until: async (pattern) => {
      for (;;) {
        const found = pattern.exec(said);
        if (found) return found;
        if (socket.destroyed) throw new Error(`closed without ${pattern}`);
        await Promise.race([once(socket, 'data').catch(() => undefined), closed]);
      }
    },
    closed,
  };
}

/** The request that asks for a WebSocket, `more` being further lines of its header. */
export function upgradeRequest(path: string, more: readonly string[] = []): string {
  const lines = ['Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  const key = ['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', `Sec-WebSocket-Protocol: ${SUBPROTOCOL}`];
  return [`GET ${path} HTTP/1.1`, ...lines, ...key, ...more, '', ''].join('\r\n');
}

/** Connects and becomes a WebSocket. */
export async function upgradeRaw(url: string, path: string, more: readonly string[] = []): Promise<RawSocket> {
  const raw = await connectRaw(url);
  raw.socket.write(upgradeRequest(path, more));
  await raw.until(/^HTTP\/1\.1 101 [^]*\r\n\r\n/);
  return raw;
}

const MASKED = 0x80;

/**
 * The bytes of a frame (RFC 6455, section 5.2) from a client, masked with zeros. `first`: FIN, RSV bits and opcode.
 * `declaredBytes`: the length that it says it has, when it should not be that of the payload.
 */
export function rawFrame(first: number, payload: Uint8Array, declaredBytes: number = payload.length): Buffer {
  const header =
    declaredBytes < 126 ? Buffer.of(first, MASKED | declaredBytes) : Buffer.alloc(declaredBytes < 65_536 ? 4 : 10);
  if (declaredBytes >= 126) {
    header[0] = first;
    header[1] = MASKED | (declaredBytes < 65_536 ? 126 : 127);
    if (declaredBytes < 65_536) header.writeUInt16BE(declaredBytes, 2);
    else header.writeBigUInt64BE(BigInt(declaredBytes), 2);
  }
  return Buffer.concat([header, Buffer.alloc(4), payload]);
}

/** The code of the close frame that the server ended with; undefined when there is none. */
export function closeCodeOf({ said }: RawSocket): number | undefined {
  const at = said().lastIndexOf('\x88');
  if (at < 0) return undefined;
  const bytes = Buffer.from(said().slice(at + 2, at + 4), 'latin1');
  return bytes.length === 2 ? bytes.readUInt16BE() : undefined;
}
