import { EventEmitter } from 'node:events';
import type { WebSocket } from 'ws';

/** A socket without a network: what it is told is kept in `told` until taken, and it hears what the test says. */
export type DeafSocket = {
  readonly socket: WebSocket;
  /** Says something as the peer; nothing is heard once the socket is closed. */
  say(data: Uint8Array, isBinary: boolean): void;
  /** Takes what the server has said. */
  take(): readonly string[];
  /** The code that the server closed with. */
  readonly closeCode: number | undefined;
  readonly isOpen: boolean;
  /** The peer is gone. */
  cut(): void;
};

/** As much of a WebSocket of ws as the server uses. */
class SocketWithoutNetwork extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  isPaused = false;
  bufferedAmount = 0;
  closeCode: number | undefined;
  told: string[] = [];

  send(text: string): void {
    this.told.push(text);
  }

  close(code: number): void {
    this.closeCode = code;
    this.terminate();
  }

  terminate(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.emit('close');
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }
}

export function createDeafSocket(): DeafSocket {
  const socket = new SocketWithoutNetwork();
  return {
    socket: socket as unknown as WebSocket,
    say: (data, isBinary) => {
      if (socket.readyState === 1) socket.emit('message', Buffer.from(data), isBinary);
    },
    take: () => socket.told.splice(0),
    get closeCode() {
      return socket.closeCode;
    },
    get isOpen() {
      return socket.readyState === 1;
    },
    cut: () => socket.terminate(),
  };
}
