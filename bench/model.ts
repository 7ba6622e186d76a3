import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createFfmpegReader } from '../adapters/media/ffmpeg/createFfmpegReader.ts';
import { packageRoot } from '../src/app/packageRoot.ts';
import { startTensorBackend } from '../src/app/tensorBackend.ts';
import { loadWeights } from '../src/app/weights.ts';
import { perModality } from '../src/domain/modality.ts';
import type { UtteranceEvidence } from '../src/domain/utterance.ts';
import { prosody8 } from '../src/features/audio/prosody.ts';
import { segmentDescriptors } from '../src/features/audio/segments.ts';
import { DEFAULT_SHAPE } from '../src/model/config.ts';
import { createEmotionModel, type EmotionModel, type SavableConversation } from '../src/model/conversation.ts';
import { initialValues } from '../src/model/parameters.ts';
import type { Weights } from '../src/model/weights.ts';
import { median, quantile } from './command.ts';

type Spoken = {
  readonly speaker: 'Ada' | 'Ben';
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
};
type Step = { readonly speaker: string; readonly evidence: UtteranceEvidence };

const RATE_HZ = 16_000;

/**
 * Prints what one utterance costs the model: `add` with the evidence of the bundled call (text and voice, as the weights
 * ask for), two speakers. Then the cost of utterance 10,000 against utterance 10, medians of many. `isQuick`: 2,000.
 */
export async function benchModel(isQuick: boolean): Promise<void> {
  const { name } = await startTensorBackend();
  const weights = await loadWeights();
  const model = createEmotionModel(weights);
  const steps = await evidenceOfCall();
  const inputs = weights.config.inputs.map((input) => input.name).join(' + ');
  console.log(`model ${weights.provenance.name} (${inputs}, look-ahead ${weights.config.lookAhead}), ${name} backend:`);
  benchAdd(model, steps);
  benchGrowth(model, steps, isQuick ? 2_000 : 10_000);
  model.dispose();
  const whole = atWholeSize(weights);
  console.log(`untrained weights of ${whole.config.layers} layers, context of ${whole.config.contextHidden}:`);
  const large = createEmotionModel(whole);
  benchAdd(large, steps);
  large.dispose();
}

/** The same network at the size that METHOD.md asks for; what its values are makes no difference to its cost. */
function atWholeSize(weights: Weights): Weights {
  const { layers, contextHidden } = DEFAULT_SHAPE;
  const config = { ...weights.config, layers, contextHidden };
  return { ...weights, config, values: initialValues(config, 1) };
}

function benchAdd(model: EmotionModel, steps: readonly Step[]): void {
  runSteps(model.open(), steps, { from: 0, to: 200 });
  const before = process.cpuUsage();
  const times = runSteps(model.open(), steps, { from: 0, to: 1_000 });
  const { user, system } = process.cpuUsage(before);
  console.log(
    `  add: median ${median(times).toFixed(2)} ms, p95 ${quantile(times, 0.95).toFixed(2)} ms, fastest tenth ${quantile(times, 0.1).toFixed(2)} ms of ${times.length} (goals: 3 and 8 ms); mean CPU time ${((user + system) / 1_000 / times.length).toFixed(2)} ms`,
  );
}

/** Measures both ends in turns, so that what else the machine does weighs on both alike. */
function benchGrowth(model: EmotionModel, steps: readonly Step[], utterances: number): void {
  const long = model.open();
  runSteps(long, steps, { from: 0, to: utterances - 300 });
  const [early, late]: [number[], number[]] = [[], []];
  const block = 9 * steps.length;
  for (let at = 0; at < 30; at++) {
    const fresh = model.open();
    runSteps(fresh, steps, { from: block, to: block + 9 });
    early.push(...runSteps(fresh, steps, { from: block + 9, to: block + 19 }));
    const from = utterances - 300 + 10 * at;
    late.push(...runSteps(long, steps, { from, to: from + 10 }));
  }
  const ratio = median(late) / median(early);
  console.log(
    `  utterance ${utterances}: ${median(late).toFixed(2)} ms, utterance 10: ${median(early).toFixed(2)} ms, ratio ${ratio.toFixed(3)} (goal: at most 1.15)`,
  );
}

/** Adds utterances `from` to `to` and returns how many ms each took. */
function runSteps(
  conversation: SavableConversation,
  steps: readonly Step[],
  { from, to }: { from: number; to: number },
): number[] {
  return Array.from({ length: to - from }, (_, offset) => {
    const index = from + offset;
    const { speaker: name, evidence } = steps[index % steps.length] as Step;
    const speaker = { id: name, name, source: 'track' } as const;
    const startMs = index * 4_000;
    const started = performance.now();
    void conversation.add({ id: `u${index}`, speaker, startMs, endMs: startMs + 3_000 }, evidence);
    return performance.now() - started;
  });
}

async function evidenceOfCall(): Promise<readonly Step[]> {
  const folder = join(packageRoot(), 'fixtures', 'call');
  const { utterances } = JSON.parse(readFileSync(join(folder, 'call.json'), 'utf8')) as { utterances: Spoken[] };
  const sound = { Ada: await soundOf(join(folder, 'ada.mp4')), Ben: await soundOf(join(folder, 'ben.mp4')) };
  return utterances.map(({ speaker, text, startMs, endMs }) => {
    const samples = sound[speaker].subarray((startMs * RATE_HZ) / 1_000, (endMs * RATE_HZ) / 1_000);
    const prosody = prosody8(samples, RATE_HZ);
    const segments = segmentDescriptors(samples, RATE_HZ).data;
    const availability = perModality((modality) => ({ share: modality === 'text' || modality === 'audio' ? 1 : 0 }));
    return { speaker, evidence: { text, segments, availability, ...(prosody && { prosody }) } };
  });
}

async function soundOf(path: string): Promise<Float32Array> {
  const blocks: Float32Array[] = [];
  for await (const { samples } of createFfmpegReader().decodeAudio(path)) blocks.push(samples);
  const all = new Float32Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    all.set(block, at);
    at += block.length;
  }
  return all;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await benchModel(process.argv.includes('--quick'));
