import { lastValueFrom, Subject, toArray } from 'rxjs';
import { expect, it } from 'vitest';
import { createSileroDetector } from '../../../adapters/vad/silero/createSileroDetector.ts';
import { loadCallMedia } from '../../../bench/live/callMedia.ts';
import { createLiveAnalysis } from '../../../src/app/serve/analyzeLive.ts';
import type { VoiceActivityDetector } from '../../../src/adapter.ts';
import type { UtteranceInsight } from '../../../src/domain/insight.ts';
import type { EmotionModel } from '../../../src/model/conversation.ts';
import type { SourceEvent } from '../../../src/server/ingest/sourceEvent.ts';
import { createFakeModel } from '../../support/fakeModel.ts';

const FRAME = 320;
const SECONDS = 10;

/** Both voices of the bundled call, in pieces of 20 ms, from `fromMs` of it on. */
async function conversation(fromMs: number): Promise<readonly SourceEvent[]> {
  const { parts } = await loadCallMedia();
  const streams = parts.map(({ name, pcm }) => ({
    streamId: `mic-${name}`,
    speaker: { id: name, name, source: 'track' } as const,
    sound: Float32Array.from(new Int16Array(pcm.buffer), (word) => word / 32_768).subarray(fromMs * 16),
  }));
  const events: SourceEvent[] = streams.map(({ streamId, speaker }) => ({
    type: 'streamOpened',
    arrivalMs: 0,
    streamId,
    kind: 'audio',
    speaker,
  }));
  for (let at = 0; at < SECONDS * 16_000; at += FRAME)
    for (const { streamId, sound } of streams) {
      const samples = sound.slice(at, at + FRAME);
      events.push({ type: 'audio', arrivalMs: (at + FRAME) / 16, streamId, startMs: at / 16, samples });
    }
  return events;
}

/** What a server says of several conversations that go on at once, their events in turns. */
async function insightsOf(vad: VoiceActivityDetector, calls: readonly (readonly SourceEvent[])[]) {
  const model = { open: () => createFakeModel() } as unknown as EmotionModel;
  const analyze = createLiveAnalysis({ vad, model, weights: 'fake', backend: 'none', privacy: 'none' });
  const sources = calls.map(() => new Subject<SourceEvent>());
  const all = Promise.all(sources.map((events$) => lastValueFrom(analyze(events$, () => undefined).pipe(toArray()))));
  for (let i = 0; i < Math.max(...calls.map(({ length }) => length)); i++) {
    for (const [n, call] of calls.entries()) {
      const event = call[i];
      if (event) sources[n]?.next(event);
    }
    if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const events$ of sources) events$.complete();
  const utterance = ({ computeMs: _, ...told }: UtteranceInsight) => told;
  return (await all).map((insights) =>
    insights.map((insight) => (insight.type === 'utterance' ? utterance(insight) : insight)),
  );
}

it('Conversations whose voices are looked at together get what each of them gets alone, to the last digit.', async () => {
  const calls = await Promise.all([0, 9_000, 23_000].map(conversation));
  const [together, alone] = [await createSileroDetector({ gatherMs: 5 }), await createSileroDetector()];
  const found = await insightsOf(together, calls);
  for (const [n, call] of calls.entries()) expect(found[n]).toEqual((await insightsOf(alone, [call]))[0]);
  const finals = found.flat().filter((insight) => insight.type === 'utterance' && insight.status === 'final');
  expect(finals.length).toBeGreaterThanOrEqual(6);
  await Promise.all([together.close(), alone.close()]);
});
