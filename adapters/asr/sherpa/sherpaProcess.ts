import { answerRequests } from './answerRequests.ts';
import { loadModel } from './ears.ts';
import type { SherpaModel, SherpaReply, SherpaRequest } from './messages.ts';
import type { SherpaPackage } from './native.ts';
import { createSpeakers } from './speakers.ts';

const PACKAGE = 'sherpa-onnx-node';

const reply = (message: SherpaReply): void => {
  process.send?.(message);
};

async function load(): Promise<SherpaPackage | undefined> {
  try {
    const loaded = (await import(PACKAGE)) as SherpaPackage & { readonly default?: SherpaPackage };
    return loaded.default ?? loaded;
  } catch {
    reply({ type: 'missing', reason: `install the package ${PACKAGE} to use sherpa` });
    return undefined;
  }
}

function createAnswer(sherpa: SherpaPackage, model: SherpaModel): ((request: SherpaRequest) => void) | undefined {
  try {
    const createEar = loadModel(sherpa, model);
    const { embedding, threads } = model;
    if (embedding === undefined) return answerRequests(createEar, reply);
    const config = { model: embedding, numThreads: threads, provider: 'cpu', debug: 0 };
    const extractor = new sherpa.SpeakerEmbeddingExtractor(config);
    return answerRequests(createEar, reply, () => createSpeakers(extractor));
  } catch {
    reply({ type: 'missing', reason: 'sherpa: the model could not be loaded' });
    return undefined;
  }
}

async function run(model: SherpaModel): Promise<void> {
  const sherpa = await load();
  const answer = sherpa && createAnswer(sherpa, model);
  if (answer === undefined) return;
  process.on('message', answer);
  reply({ type: 'ready' });
}

// Whoever started this process is gone: there is nobody to answer.
process.on('disconnect', () => process.exit(0));
process.once('message', (model: SherpaModel) => void run(model));
