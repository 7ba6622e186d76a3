import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseRttm } from '../../adapters/diarization/rttm/parseRttm.ts';
import { createFfmpegReader } from '../../adapters/media/ffmpeg/createFfmpegReader.ts';
import { createSileroDetector } from '../../adapters/vad/silero/createSileroDetector.ts';
import type { SpeakerTurn, VoiceActivity } from '../../src/domain/observation.ts';
import { overlapMs } from '../../src/operators/spans.ts';
import { finals, inOrder, insightsOf, opened } from '../support/scriptedCall.ts';

const shared = process.env['UNDERTONE_SHARED'];

/** A recording as the mixed stream of a call: decoded by ffmpeg, heard by Silero. */
async function hear(path: string): Promise<readonly VoiceActivity[]> {
  const detector = await createSileroDetector();
  const stream = detector.open();
  const blocks: VoiceActivity[] = [];
  let frames = 0;
  for await (const { startMs, samples } of createFfmpegReader().decodeAudio(path)) {
    const speech = await stream.process(samples);
    const heard = { samples, speech, speechStartMs: frames * stream.frameMs, frameMs: stream.frameMs };
    blocks.push({ type: 'voice', arrivalMs: startMs + samples.length / 16, streamId: 'mixed', startMs, ...heard });
    frames += speech.length;
  }
  stream.close();
  await detector.close();
  return blocks;
}

/** The share of turns of at least 0.5 s of which at least half is in an utterance of the right speaker. */
async function coverage(wav: string, rttm: string, hasTurns: boolean): Promise<number> {
  const folder = join(shared ?? '', 'audio');
  const voice = await hear(join(folder, `${wav}.wav`));
  const endMs = voice.at(-1)?.arrivalMs ?? 0;
  const all = parseRttm(readFileSync(join(folder, `${rttm}.rttm`)), { streamId: 'mixed', fileId: wav }).turns;
  const turns = all.filter((turn) => turn.endMs <= endMs);
  const insights = await insightsOf(inOrder([opened('mixed', 'audio')], voice, turns), { settings: { hasTurns } });
  const isCovered = ({ speaker, ...turn }: SpeakerTurn): boolean => {
    const own = finals(insights).filter((utterance) => utterance.speaker.id === speaker.id);
    return own.reduce((ms, utterance) => ms + overlapMs(utterance, turn), 0) >= (turn.endMs - turn.startMs) / 2;
  };
  const long = turns.filter((turn) => turn.endMs - turn.startMs >= 500);
  expect(long.length).toBeGreaterThan(5);
  return long.filter(isCovered).length / long.length;
}

describe('analyzeConversation on recordings', () => {
  const cases: readonly [string, string, boolean][] = [
    ['pyannote-sample', 'pyannote-sample', true],
    ['pyannote-sample', 'pyannote-sample', false],
    ['ami-dev00', 'ami', true],
    ['ami-dev00', 'ami', false],
  ];
  if (shared === undefined) it.skip('skipped: the recordings need UNDERTONE_SHARED.');
  else {
    it.each(cases)(
      'covers the turns of %s by the right speaker (turns of %s, expected: %s).',
      async (wav, rttm, hasTurns) => {
        expect(await coverage(wav, rttm, hasTurns)).toBeGreaterThanOrEqual(0.9);
      },
    );
  }
});
