import { from } from 'rxjs';
import { pathToFileURL } from 'node:url';
import { analyzeConversation } from '../pipelines/conversation.ts';
import type { ConversationModel } from '../src/domain/conversationModel.ts';
import { perModality } from '../src/domain/modality.ts';
import type { Observation } from '../src/domain/observation.ts';
import type { Speaker } from '../src/domain/speaker.ts';
import type { Prediction } from '../src/domain/utterance.ts';

const UTTERANCES = 10_000;
const UTTERANCE_MS = 3_200;
const BLOCK_MS = 320;
const FRAME_MS = 32;
const SPEAKERS: readonly Speaker[] = ['Ada', 'Ben'].map((name) => ({ id: name, name, source: 'track' }));

/**
 * Prints what the pipeline alone costs per utterance, around utterance 10 and around utterance 10,000: two tracks,
 * 3.2 s per utterance, captions, a model that answers at once and features that measure nothing; after a warm-up.
 */
export async function benchPipeline(): Promise<void> {
  await runConversation(500);
  const { atMs, totalMs } = await runConversation(UTTERANCES);
  print(atMs, totalMs);
}

/** Analyzes a conversation; when each utterance became final, in wall ms, and what all took. */
function runConversation(utterances: number): Promise<{ readonly atMs: readonly number[]; readonly totalMs: number }> {
  const atMs: number[] = [];
  const deps = { model: createIdleModel(), weights: 'none', backend: 'none', now: () => performance.now() };
  const features = { prosody: () => new Float32Array(8), segments: () => ({ data: new Float32Array(32) }) };
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    analyzeConversation(from(conversation(utterances)), { ...deps, features }).subscribe({
      next: (insight) => {
        if (insight.type === 'utterance' && insight.status === 'final') atMs.push(performance.now());
      },
      error: reject,
      complete: () => resolve({ atMs, totalMs: performance.now() - startedMs }),
    });
  });
}

function print(atMs: readonly number[], totalMs: number): void {
  const median = (fromUtterance: number, count: number): number => {
    const steps = Array.from(
      { length: count },
      (_, n) => (atMs[fromUtterance + n + 1] ?? NaN) - (atMs[fromUtterance + n] ?? NaN),
    );
    return steps.sort((a, b) => a - b)[Math.floor(count / 2)] ?? NaN;
  };
  const seconds = (UTTERANCES * UTTERANCE_MS) / 1000;
  console.log(`pipeline alone, ${UTTERANCES} utterances, 2 tracks:`);
  console.log(
    `  median ms per utterance around 10: ${median(5, 10).toFixed(3)}, around 1,000: ${median(950, 100).toFixed(3)}`,
  );
  console.log(`  median ms per utterance around 10,000: ${median(UTTERANCES - 102, 100).toFixed(3)}`);
  console.log(
    `  ${(totalMs / seconds).toFixed(4)} ms per second of conversation, ${Math.round((seconds * 1000) / totalMs)} x real time`,
  );
}

function* conversation(utterances: number): Generator<Observation> {
  for (const speaker of SPEAKERS)
    yield { type: 'streamOpened', arrivalMs: 0, streamId: speaker.id, kind: 'audio', speaker };
  yield { type: 'streamOpened', arrivalMs: 0, streamId: 'captions', kind: 'captions' };
  const samples = new Float32Array(BLOCK_MS * 16).fill(0.1);
  const frames = BLOCK_MS / FRAME_MS;
  const [speech, silence] = [new Float32Array(frames).fill(0.9), new Float32Array(frames)];
  for (let startMs = 0; startMs < utterances * UTTERANCE_MS; startMs += BLOCK_MS) {
    const intoMs = startMs % UTTERANCE_MS;
    const talking = SPEAKERS[Math.floor(startMs / UTTERANCE_MS) % 2];
    const arrivalMs = startMs + BLOCK_MS;
    for (const speaker of SPEAKERS) {
      const isSpeech = speaker === talking && intoMs < 1_920;
      const heard = { speech: isSpeech ? speech : silence, speechStartMs: startMs, frameMs: FRAME_MS };
      yield { type: 'voice', arrivalMs, streamId: speaker.id, startMs, samples, ...heard };
    }
    if (intoMs === 1_920 && talking) {
      const cue = { startMs: startMs - 1_920, endMs: startMs, text: 'seven words are said in this utterance' };
      yield { type: 'transcript', arrivalMs, streamId: 'captions', speaker: talking, ...cue };
    }
  }
}

/** A model that answers the same of every utterance, with a window of three. */
function createIdleModel(): ConversationModel {
  const window: string[] = [];
  const answer = (lastFinal: number): Prediction[] =>
    window.map((utteranceId, index) => ({
      utteranceId,
      lookAhead: window.length - 1 - index,
      isFinal: index <= lastFinal,
      probabilities: [0.5, 0.3, 0.2],
      weights: perModality(() => 0.25),
    }));
  return {
    labels: ['neutral', 'joy', 'anger'],
    lookAhead: 3,
    inputs: new Set(['text', 'prosody', 'segments'] as const),
    add: ({ id }) => {
      window.push(id);
      const predictions = answer(window.length - 4);
      if (window.length > 3) window.shift();
      return predictions;
    },
    revise: () => answer(-1),
    finish: () => answer(window.length),
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await benchPipeline();
