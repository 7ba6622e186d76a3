/** What a socket tells: `data` with a message, `code` and `reason` with a close. */
export type SocketEvent = {
  readonly type: string;
  readonly data?: unknown;
  readonly code?: number;
  readonly reason?: string;
};

/** The part of the WebSocket interface that is used; browsers' sockets and those of `ws` have it. */
export type ClientSocket = {
  readonly bufferedAmount: number;
  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: SocketEvent) => void): void;
  send(bytes: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  /** Ends at once, without the closing handshake; browsers have no such thing. */
  terminate?(): void;
};

/** Makes a socket that connects at once: `WebSocket` of the browser, of Node 22 and later, or of `ws`. */
export type SocketConstructor = new (url: string, protocols: string[]) => ClientSocket;

/**
 * Returns `given`, else the `WebSocket` of the runtime.
 * @throws TypeError when there is neither, as in Node 20.
 */
export function toSocketConstructor(given: SocketConstructor | undefined): SocketConstructor {
  const found = given ?? (globalThis as { readonly WebSocket?: SocketConstructor }).WebSocket;
  if (!found) throw new TypeError('WebSocket must be given where the runtime has none, for instance that of `ws`');
  return found;
}
