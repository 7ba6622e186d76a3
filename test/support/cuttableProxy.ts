import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A network between browsers and a server, on a port of this machine, that can go away and come back. */
export type CuttableProxy = {
  readonly port: number;
  /** Every connection ends at once, without a word, and no new one is taken. */
  cut(): Promise<void>;
  /** New connections are taken again, at the same port. */
  mend(): Promise<void>;
  close(): Promise<void>;
};

/** Starts a network to `targetPort`. */
export async function startCuttableProxy(targetPort: number): Promise<CuttableProxy> {
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const listen = async (port: number): Promise<number> => {
    server = createServer((near) => {
      const far = connect(targetPort, '127.0.0.1');
      keep(near);
      keep(far);
      near.pipe(far).pipe(near);
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const cut = async (): Promise<void> => {
    const closed = server && once(server, 'close');
    server?.close();
    server = undefined;
    for (const socket of sockets) socket.resetAndDestroy();
    await closed;
  };
  const port = await listen(0);
  return { port, cut, mend: async () => void (await listen(port)), close: cut };
}
