import { parentPort, workerData } from 'node:worker_threads';
import type { SherpaModel, SherpaReply, SherpaRequest } from './messages.ts';
import { createSherpaStreams, toNativeConfig, type NativeRecognizer, type StreamRequest } from './sherpaStreams.ts';

const PACKAGE = 'sherpa-onnx-node';
type Sherpa = { readonly OnlineRecognizer: new (config: object) => NativeRecognizer };

const reply = (message: SherpaReply): void => {
  parentPort?.postMessage(message);
};

async function load(): Promise<Sherpa | null> {
  try {
    const loaded = (await import(PACKAGE)) as Sherpa & { readonly default?: Sherpa };
    return loaded.default ?? loaded;
  } catch {
    reply({ type: 'failed', id: null, isMissing: true, reason: `install the package ${PACKAGE} to use sherpa` });
    return null;
  }
}

async function run(): Promise<void> {
  const sherpa = await load();
  if (sherpa === null) return;
  let answer: (request: StreamRequest) => void;
  try {
    answer = createSherpaStreams(new sherpa.OnlineRecognizer(toNativeConfig(workerData as SherpaModel)), reply);
  } catch {
    reply({ type: 'failed', id: null, isMissing: true, reason: 'sherpa: the model could not be loaded' });
    return;
  }
  parentPort?.on('message', (request: SherpaRequest) => {
    if (request.type === 'stop') {
      parentPort?.close();
      return;
    }
    try {
      answer(request);
    } catch {
      reply({ type: 'failed', id: request.id, isMissing: false, reason: 'sherpa failed on a piece of sound' });
    }
  });
  reply({ type: 'ready' });
}

void run();
