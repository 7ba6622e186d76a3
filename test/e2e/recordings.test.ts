import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseRttm } from '../../adapters/diarization/rttm/parseRttm.ts';
import type { Insight, UtteranceInsight } from '../../src/domain/insight.ts';
import { overlapMs } from '../../src/operators/spans.ts';
import { replayJson, summaryOf } from './call.ts';

const shared = process.env['UNDERTONE_SHARED'];
const recording = (name: string): string => join(shared ?? '', 'audio', name);

function finals(insights: readonly Insight[]): readonly UtteranceInsight[] {
  return insights.filter((insight) => insight.type === 'utterance').filter(({ status }) => status === 'final');
}

/** The share of reference turns of at least 0.5 s of which at least half lies in utterances of the right speaker. */
function coverage(insights: readonly Insight[], rttm: string, fileId: string): { share: number; turns: number } {
  const { durationMs } = summaryOf(insights);
  const { turns } = parseRttm(readFileSync(recording(rttm)), { streamId: 'audio', fileId });
  const long = turns.filter(({ startMs, endMs }) => endMs - startMs >= 500 && endMs <= durationMs);
  const covered = long.filter((turn) => {
    const own = finals(insights).filter(({ speaker }) => speaker.id === turn.speaker.id);
    return own.reduce((ms, utterance) => ms + overlapMs(utterance, turn), 0) >= (turn.endMs - turn.startMs) / 2;
  });
  return { share: covered.length / long.length, turns: long.length };
}

describe('undertone replay of real recordings', () => {
  if (shared === undefined) {
    it.skip('skipped: the recordings need UNDERTONE_SHARED.');
    return;
  }

  it.each([
    ['pyannote-sample.wav', 'pyannote-sample.rttm'],
    ['ami-dev00.wav', 'ami.rttm'],
  ])('covers at least nine in ten turns of %s by utterances of the right speaker.', async (wav, rttm) => {
    const { status, insights } = await replayJson(recording(wav), '--rttm', recording(rttm));
    const { share, turns } = coverage(insights, rttm, wav);
    console.log(`${wav}: ${(share * 100).toFixed(1)} % of ${turns} turns covered`);
    expect(status).toBe(0);
    expect(turns).toBeGreaterThan(5);
    expect(share).toBeGreaterThanOrEqual(0.9);
  });

  it.each(['jfk.wav', '84-121550-0000.flac', 'multi-speaker.opus', 'two-speakers-mono.wav'])(
    'hears utterances in %s, of nobody known.',
    async (name) => {
      const { status, insights } = await replayJson(recording(name));
      expect(status).toBe(0);
      expect(finals(insights).length).toBeGreaterThan(0);
      expect(new Set(finals(insights).map(({ speaker }) => speaker.id))).toEqual(new Set(['unknown']));
    },
  );

  it('hears the agent and the customer of a support call on their channels.', async () => {
    const { insights } = await replayJson(recording('support-call-stereo.wav'), '--channels', 'Agent,Customer');
    const speakers = summaryOf(insights).speakers.map(({ speaker }) => `${speaker.name} ${speaker.source}`);
    expect(speakers.sort()).toEqual(['Agent channel', 'Customer channel']);
  });

  it('says of a talking head that no extractor for its face is installed.', async () => {
    const { status, insights } = await replayJson('--track', `Speaker=${join(shared, 'video', 'talking-head.mp4')}`);
    expect(status).toBe(0);
    const face = insights.filter((insight) => insight.type === 'modality' && insight.modality === 'face');
    expect(face).toMatchObject([{ state: 'absent', reason: 'no_extractor', speaker: { name: 'Speaker' } }]);
    for (const { modalityWeights, availability } of finals(insights)) {
      expect(modalityWeights.face).toBe(0);
      expect(availability.face).toEqual({ share: 0, reason: 'no_extractor' });
    }
  });
});
