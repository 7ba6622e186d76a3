import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { UndertoneError } from '../../../src/errors.ts';
import type { SherpaModel, SherpaReply, SherpaRequest } from './messages.ts';

/** A process with a loaded model. */
export type SherpaProcess = {
  post(request: SherpaRequest): void;
  /** Whether it has ended, by itself or by `stop`. */
  readonly hasEnded: boolean;
  stop(): Promise<void>;
};

/** Who is told what the process says, and that it has ended though nobody stopped it. */
export type SherpaListener = { readonly hear: (reply: SherpaReply) => void; readonly died: () => void };

/** A model that is not loaded by then never will be. */
const LOAD_TIMEOUT_MS = 120_000;
/** What of the environment the libraries need; keys of other recognizers are none of their business. */
const ENVIRONMENT = [
  'PATH',
  'HOME',
  'TMPDIR',
  'TEMP',
  'SystemRoot',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'NODE_PATH',
];

/**
 * Starts a process and loads a model in it. sherpa-onnx ends its process over a damaged file, so it has one of its own. The
 * process keeps ours alive only while it owes an answer, and ends with it. What it prints is not shown: it may quote words.
 * @throws UndertoneError RECOGNIZER_MISSING, RECOGNIZER_FAILED
 */
export async function startProcess(model: SherpaModel, listener: SherpaListener): Promise<SherpaProcess> {
  const child = start();
  const exited = once(child, 'exit');
  let hasEnded = false;
  let isStopped = false;
  let owed = 0;
  const owe = (change: 1 | -1): void => {
    owed += change;
    if (owed > 0) child.channel?.ref();
    else child.channel?.unref();
  };
  child.on('error', () => undefined);
  child.once('exit', () => {
    hasEnded = true;
    if (!isStopped) listener.died();
  });
  const stop = async (): Promise<void> => {
    isStopped = true;
    if (hasEnded) return;
    child.ref();
    child.kill('SIGKILL');
    await exited;
  };
  const first = await firstReply(child, model, exited);
  if (first.type !== 'ready') {
    await stop();
    throw toError(first);
  }
  child.on('message', (reply: SherpaReply) => {
    if (reply.type !== 'result') owe(-1);
    if (!isStopped) listener.hear(reply);
  });
  child.unref();
  child.channel?.unref();
  return {
    post: (request) => {
      if (hasEnded || isStopped) return;
      if (request.type === 'write' || request.type === 'end') owe(1);
      child.send(request, () => undefined);
    },
    get hasEnded() {
      return hasEnded;
    },
    stop,
  };
}

type First = SherpaReply | { readonly type: 'exited' | 'late' };

async function firstReply(child: ChildProcess, model: SherpaModel, exited: Promise<unknown>): Promise<First> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<First>((resolve) => {
    timer = setTimeout(() => resolve({ type: 'late' }), LOAD_TIMEOUT_MS);
  });
  const replied = new Promise<First>((resolve) => child.once('message', (reply: SherpaReply) => resolve(reply)));
  child.send(model, () => undefined);
  const first = await Promise.race([replied, exited.then((): First => ({ type: 'exited' })), late]);
  clearTimeout(timer);
  return first;
}

function toError(first: First): UndertoneError {
  if (first.type === 'missing') return new UndertoneError('RECOGNIZER_MISSING', first.reason);
  if (first.type === 'exited')
    return new UndertoneError('RECOGNIZER_MISSING', 'sherpa: the library ended over the model: a file is damaged');
  return new UndertoneError('RECOGNIZER_FAILED', 'sherpa: the model is not loaded after two minutes');
}

/** Built, the process runs its own file; from source it is loaded through tsx, because Node 20 does not read TypeScript. */
function start(): ChildProcess {
  const env = Object.fromEntries(ENVIRONMENT.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
  const common = { env, serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] } as const;
  const isBuilt = import.meta.url.endsWith('.js');
  const file = fileURLToPath(new URL(isBuilt ? './sherpaProcess.js' : './sherpaProcess.ts', import.meta.url));
  if (isBuilt) return fork(file, { ...common, stdio: [...common.stdio], execArgv: [] });
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return fork(file, { ...common, stdio: [...common.stdio], execArgv: ['--import', loader] });
}
