import { join } from 'node:path';
import { Subject } from 'rxjs';
import { DEFAULT_SERVER_CONFIG } from '../../config.ts';
import type { Insight } from '../../domain/insight.ts';
import { isUndertoneError } from '../../errors.ts';
import { packageRoot } from '../packageRoot.ts';
import { openServer, type OpenServer } from '../serve/openServer.ts';
import { EXIT, type Terminal, untilStopped } from '../terminal.ts';
import { type ReplayCommand, runReplay } from './replay.ts';

/** What `undertone start` was asked for. `serve`: whether live calls are served beside the bundled one; absent: see {@link runStart}. */
export type StartCommand = Pick<ReplayCommand, 'json' | 'speed' | 'out' | 'vision'> & {
  readonly serve?: boolean | undefined;
};

const HOST = '127.0.0.1';
/** The port of `undertone serve`, those after it when it is taken, and at last any that is free. */
const PORTS = [...Array.from({ length: 10 }, (_, n) => 8_787 + n), 0];
/** The session as which the bundled call can be watched. */
const SESSION = 'bundled-call';

/**
 * Plays the bundled call in real time. At a terminal, unless it is one of CI or JSON is asked for, live calls are served beside
 * it on this machine, the bundled call among them to be watched, and after it until Ctrl-C. A server that cannot be started
 * is said aloud, and the call is played all the same. Returns the exit status: that of the replay, or 0 after serving.
 */
export async function runStart(command: StartCommand, terminal: Terminal): Promise<number> {
  const isAtTerminal = terminal.out.isTTY === true && (terminal.env['CI'] ?? '') === '' && !command.json;
  const serving = (command.serve ?? isAtTerminal) ? await serveBeside(command, terminal) : undefined;
  if (!serving) return runReplay(bundledCall(command), terminal);
  const { server, pageUrl, end } = serving;
  const insights$ = new Subject<Insight>();
  server.sessions.publish(SESSION, insights$);
  terminal.err.write(`listening on ${server.url}; this call is the session ${SESSION} of ${server.url}/v1/feed\n`);
  if (pageUrl !== undefined) terminal.err.write(`to watch it in a browser: ${pageUrl}#${SESSION}\n`);
  try {
    const status = await runReplay(bundledCall(command), terminal, (insight) => insights$.next(insight));
    insights$.complete();
    if (terminal.stop.aborted) return status;
    terminal.err.write(`${whatNext(server.url, pageUrl)}\n`);
    await untilStopped(terminal.stop);
    return EXIT.done;
  } finally {
    insights$.complete();
    await end();
  }
}

/** Serves, or says why it cannot. */
async function serveBeside({ vision }: StartCommand, terminal: Terminal): Promise<OpenServer | undefined> {
  try {
    return await openServer(DEFAULT_SERVER_CONFIG, { host: HOST, ports: PORTS, vision }, terminal);
  } catch (error) {
    if (!isUndertoneError(error)) throw error;
    terminal.err.write(`live calls are not served: ${error.message}\n`);
    return undefined;
  }
}

function whatNext(url: string, pageUrl: string | undefined): string {
  return [
    `Still listening on ${url}, for this machine only, until Ctrl-C. To analyze a call of yours while it happens:`,
    ...(pageUrl === undefined ? [] : [`  ${pageUrl}    # with your microphone and camera, in a browser`]),
    `  ffmpeg -i call.mp4 -ac 1 -ar 16000 -f s16le - | node dist/examples/producer.js ${url} Ada`,
    `  node dist/examples/consumer.js ${url} SESSION    # the id that the producer prints`,
    'docs/live.md says more; undertone serve is the server alone, with keys and policy.',
  ].join('\n');
}

function bundledCall(command: StartCommand): ReplayCommand {
  const call = join(packageRoot(), 'fixtures', 'call');
  return {
    ...command,
    tracks: [`Ada=${join(call, 'ada.mp4')}`, `Ben=${join(call, 'ben.mp4')}`],
    channels: [],
    captions: join(call, 'captions.vtt'),
    privacy: 'none',
    backend: 'auto',
  };
}
