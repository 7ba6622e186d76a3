import { DEFAULT_SERVER_CONFIG } from '../../config.ts';
import { assertSafeHost } from '../../server/access.ts';
import { readServerConfig } from '../readServerConfig.ts';
import { openServer, type OpenServerOptions } from '../serve/openServer.ts';
import { EXIT, type Terminal, untilStopped } from '../terminal.ts';

/** What `undertone serve` was asked for. */
export type ServeCommand = Omit<OpenServerOptions, 'ports'> & {
  readonly port: number;
  readonly config?: string | undefined;
};

/**
 * Serves live sessions until a signal comes; then tells everybody to go, and ends when they went or 10 s later. A second
 * signal ends the process at once.
 * @throws UndertoneError BAD_CONFIG, FILE_NOT_FOUND, BAD_WEIGHTS, VAD_MISSING, NO_BACKEND, BAD_OPTION (address in use),
 *   RECOGNIZER_MISSING, RECOGNIZER_FAILED
 */
export async function runServe({ port, ...command }: ServeCommand, terminal: Terminal): Promise<number> {
  const config = command.config === undefined ? DEFAULT_SERVER_CONFIG : await readServerConfig(command.config);
  assertSafeHost(config, command.host);
  const { server, pageUrl, end } = await openServer(config, { ...command, ports: [port] }, terminal);
  terminal.err.write(`listening on ${server.url} (producers: /v1/stream, consumers: /v1/feed)\n`);
  if (server.access.isOpen)
    terminal.err.write(
      'no keys are configured: anybody on this machine may connect; "undertone keys create" makes a key\n',
    );
  if (pageUrl !== undefined) terminal.err.write(`a page to try it with: ${pageUrl}\n`);
  await untilStopped(terminal.stop);
  await end();
  return EXIT.done;
}
