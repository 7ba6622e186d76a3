import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Insight, UtteranceInsight } from '../../src/domain/insight.ts';
import { MODALITIES } from '../../src/domain/modality.ts';
import { CAPTIONS_12S, createCallFolder, replayJson, summaryOf, type CallFolder } from './call.ts';

let folder: CallFolder;
let call: readonly string[] = [];
const replays = new Map<string, readonly Insight[]>();

beforeAll(async () => {
  folder = createCallFolder();
  const tracks = (['ada', 'ben'] as const).map(
    (voice) => `${voice}=${folder.cut(`${voice}.mp4`, voice, 12, ['-c', 'copy'])}`,
  );
  const captions = folder.write('call.vtt', CAPTIONS_12S.replaceAll('Ada', 'ada').replaceAll('Ben', 'ben'));
  call = [...tracks.flatMap((track) => ['--track', track]), '--captions', captions];
  for (const speed of ['max', '4', '1']) replays.set(speed, (await replayJson(...call, '--speed', speed)).insights);
}, 60_000);
afterAll(() => {
  folder.remove();
});

const replayAt = (speed: string): readonly Insight[] => replays.get(speed) ?? [];

/** Without the only field that may differ between two replays. */
function comparable(insight: Insight): object {
  if (insight.type !== 'utterance') return insight;
  const { computeMs: _, ...rest } = insight;
  return rest;
}

function utterances(insights: readonly Insight[]): readonly UtteranceInsight[] {
  return insights.filter((insight) => insight.type === 'utterance');
}

describe('undertone replay', () => {
  it.each(['4', '1'])('gives the same insights at speed %s as at speed max, computing times aside.', (speed) => {
    expect(replayAt('max').length).toBeGreaterThan(15);
    expect(replayAt(speed).map(comparable)).toEqual(replayAt('max').map(comparable));
  });

  it('gives the same insights when it is repeated.', async () => {
    const { insights } = await replayJson(...call);
    expect(insights.map(comparable)).toEqual(replayAt('max').map(comparable));
  });

  it('numbers its insights 1, 2, 3, begins with the session and ends with the one summary.', () => {
    const insights = replayAt('max');
    expect(insights.map(({ seq }) => seq)).toEqual(insights.map((_, index) => index + 1));
    expect(insights.flatMap(({ type }, index) => (type === 'session' ? [index] : []))).toEqual([0]);
    expect(insights.flatMap(({ type }, index) => (type === 'summary' ? [index] : []))).toEqual([insights.length - 1]);
    const times = insights.map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('gives every utterance revisions 0, 1, 2 and exactly one final answer, its last.', () => {
    const byId = new Map<string, UtteranceInsight[]>();
    for (const answer of utterances(replayAt('max')))
      byId.set(answer.utteranceId, [...(byId.get(answer.utteranceId) ?? []), answer]);
    expect(byId.size).toBe(summaryOf(replayAt('max')).utterances);
    for (const answers of byId.values()) {
      expect(answers.map(({ revision }) => revision)).toEqual(answers.map((_, index) => index));
      expect(answers.map(({ status }) => status === 'final')).toEqual(
        answers.map((_, index) => index === answers.length - 1),
      );
    }
  });

  it('spreads each answer over modalities that are there: absent ones weigh exactly 0, the others sum to 1.', () => {
    for (const { modalityWeights, availability, probabilities, confidence, label } of utterances(replayAt('max'))) {
      for (const modality of MODALITIES)
        if (availability[modality].share === 0) expect(modalityWeights[modality]).toBe(0);
      expect(MODALITIES.reduce((sum, modality) => sum + modalityWeights[modality], 0)).toBeCloseTo(1, 6);
      expect(Math.max(...Object.values(probabilities))).toBe(confidence);
      expect(probabilities[label]).toBe(confidence);
    }
  });
});
