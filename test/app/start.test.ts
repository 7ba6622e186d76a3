import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { main } from '../../src/app/main.ts';
import { connectPeer } from '../support/livePeer.ts';
import { type FakeTerminal, fakeTerminal, insightsIn } from '../support/terminal.ts';

/** The whole call is analyzed: seconds, on a machine that has nothing else to do. */
const WHOLE_CALL_MS = 180_000;
const taken: Server[] = [];
afterEach(() => {
  for (const server of taken.splice(0)) server.close();
});

/** Takes a port of this machine, unless somebody else has it. */
function takePort(port: number): Promise<void> {
  const server = createServer();
  taken.push(server);
  return new Promise((resolve) => {
    server.once('error', () => resolve());
    server.listen(port, '127.0.0.1', () => resolve());
  });
}

/** Makes the output of a terminal one that somebody looks at. */
function atTerminal(terminal: FakeTerminal): FakeTerminal {
  Object.assign(terminal.out, { isTTY: true, columns: 80, rows: 24 });
  return terminal;
}

/** A terminal, and a promise for each text that comes to stand on its standard error. */
function watchedTerminal() {
  const terminal = fakeTerminal();
  const stands = (text: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = text.exec(terminal.errors());
        if (found) resolve(found);
        else setImmediate(look);
      };
      look();
    });
  return { terminal, stands };
}

describe('undertone start', () => {
  it(
    'ends by itself when the call is over, and listens to nobody, away from a terminal or in CI',
    async () => {
      const terminal = atTerminal(fakeTerminal({ CI: 'true' }));
      expect(await main(['start', '--speed', 'max'], terminal)).toBe(0);
      expect(terminal.errors()).not.toContain('listening');
      expect(terminal.written()).toContain('Ada');
    },
    WHOLE_CALL_MS,
  );

  it(
    'with --serve can be watched while it plays, listens on until Ctrl-C, and then ends with 0',
    async () => {
      for (let port = 8_787; port < 8_797; port++) await takePort(port);
      const { terminal, stands } = watchedTerminal();
      const running = main(['start', '--speed', 'max', '--json', '--serve'], terminal);
      const [, url = ''] = await stands(/listening on (ws:\/\/127\.0\.0\.1:\d+);/u);
      expect(taken.map((server) => (server.address() as AddressInfo | null)?.port)).not.toContain(
        Number(url.split(':')[2]),
      );
      const watcher = await connectPeer(url, { path: '/v1/feed' });
      watcher.say({ type: 'hello', v: 1, session: 'bundled-call' });
      await watcher.closed;
      expect(watcher.insights.map(({ type, seq }) => [type, seq])).toEqual(
        insightsIn(terminal.written()).map(({ type, seq }) => [type, seq]),
      );
      await stands(/Still listening on .* until Ctrl-C/u);
      const health = await fetch(`${url.replace('ws:', 'http:')}/healthz`);
      expect(await health.json()).toMatchObject({ status: 'ok' });
      terminal.interrupt();
      expect(await running).toBe(0);
      await expect(fetch(`${url.replace('ws:', 'http:')}/healthz`)).rejects.toThrow();
    },
    WHOLE_CALL_MS,
  );

  it('serves at a terminal without being told; a call that is interrupted ends the server too, with 130', async () => {
    const { terminal, stands } = watchedTerminal();
    const running = main(['start'], atTerminal(terminal));
    const [, url = ''] = await stands(/listening on (ws:\S+);/u);
    terminal.interrupt();
    expect(await running).toBe(130);
    expect(terminal.errors()).not.toContain('Still listening');
    await expect(fetch(`${url.replace('ws:', 'http:')}/healthz`)).rejects.toThrow();
  });
});
