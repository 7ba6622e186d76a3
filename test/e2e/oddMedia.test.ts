import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Insight, ModalityInsight, UtteranceInsight } from '../../src/domain/insight.ts';
import { CAPTIONS_12S, createCallFolder, replayJson, summaryOf, type CallFolder } from './call.ts';
import { silence } from './sounds.ts';

let folder: CallFolder;
beforeAll(() => {
  folder = createCallFolder();
});
afterAll(() => {
  folder.remove();
});

function finals(insights: readonly Insight[]): readonly UtteranceInsight[] {
  return insights.filter((insight) => insight.type === 'utterance').filter(({ status }) => status === 'final');
}

function absences(insights: readonly Insight[], reason: string): readonly ModalityInsight[] {
  return insights.filter((insight) => insight.type === 'modality').filter((insight) => insight.reason === reason);
}

describe('undertone replay of unusual recordings', () => {
  it.each([
    ['7.1 sound', 'surround.wav', ['-vn', '-af', 'pan=7.1|FL=c0|FR=c0|FC=c0|LFE=c0|BL=c0|BR=c0|SL=c0|SR=c0']],
    ['8 kHz', 'phone.wav', ['-vn', '-ar', '8000']],
    ['µ-law at 8 kHz', 'mulaw.wav', ['-vn', '-ar', '8000', '-c:a', 'pcm_mulaw']],
    ['192 kHz', 'studio.wav', ['-vn', '-ar', '192000', '-c:a', 'pcm_s24le']],
  ])('hears the same utterances with %s as with the original.', async (_, name, args) => {
    const original = finals((await replayJson(folder.cut('original.wav', 'ada', 12))).insights);
    const { status, insights } = await replayJson(folder.cut(name, 'ada', 12, args));
    expect(status).toBe(0);
    const found = finals(insights);
    expect(found).toHaveLength(original.length);
    for (const [index, { startMs, endMs }] of found.entries()) {
      expect(Math.abs(startMs - (original[index]?.startMs ?? NaN))).toBeLessThanOrEqual(200);
      expect(Math.abs(endMs - (original[index]?.endMs ?? NaN))).toBeLessThanOrEqual(200);
    }
  });

  it('hears one participant per channel of 7.1 sound.', async () => {
    const args = ['-vn', '-af', 'pan=7.1|FL=c0|FR=c0|FC=c0|LFE=c0|BL=c0|BR=c0|SL=c0|SR=c0'];
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const { insights } = await replayJson(folder.cut('eight.wav', 'ada', 4, args), '--channels', names.join(','));
    expect(
      summaryOf(insights)
        .speakers.map(({ speaker }) => speaker.name)
        .sort(),
    ).toEqual(names);
  });

  it('goes on after 30 minutes of silence in the middle, and says meanwhile that nobody speaks.', async () => {
    const talk = folder.cut('talk.wav', 'ada', 12, ['-vn', '-ar', '16000', '-ac', '1']);
    const pause = folder.make('pause.flac', silence(1_800));
    const inputs = [talk, pause, talk].flatMap((path) => ['-i', path]);
    const path = folder.make('talk.flac', [...inputs, '-filter_complex', '[0:a][1:a][2:a]concat=n=3:v=0:a=1']);
    const started = performance.now();
    const { status, insights } = await replayJson('--track', `Ada=${path}`);
    console.log(`30 min 24 s with a pause of 30 min: ${((performance.now() - started) / 1_000).toFixed(1)} s`);
    expect(status).toBe(0);
    const times = finals(insights).map(({ startMs }) => startMs);
    const before = times.filter((ms) => ms < 12_000);
    expect(before.length).toBeGreaterThan(0);
    expect(times.filter((ms) => ms > 1_812_000)).toHaveLength(before.length);
    expect(times).toHaveLength(2 * before.length);
    expect(absences(insights, 'no_speech').map(({ modality, speaker }) => [modality, speaker?.name])).toEqual([
      ['audio', 'Ada'],
    ]);
    expect(summaryOf(insights).durationMs).toBeGreaterThan(1_823_000);
  }, 120_000);

  it('says of the shorter of two tracks that it ended, and goes on with the other.', async () => {
    const tracks = [
      '--track',
      `Ada=${folder.cut('short.wav', 'ada', 5)}`,
      '--track',
      `Ben=${folder.cut('long.wav', 'ben', 14)}`,
    ];
    const { status, insights } = await replayJson(...tracks);
    expect(status).toBe(0);
    const [gone, ...others] = absences(insights, 'track_ended');
    expect(gone).toMatchObject({ modality: 'audio', state: 'absent', speaker: { name: 'Ada' } });
    expect(gone?.atMs).toBeGreaterThan(5_900);
    expect(gone?.atMs).toBeLessThan(6_300);
    expect(others).toEqual([]);
    expect(finals(insights).some(({ speaker, startMs }) => speaker.name === 'Ben' && startMs > 6_000)).toBe(true);
  });

  it('keeps names with blanks and emoji, and file names with blanks, umlauts and equal signs.', async () => {
    const track = (name: string, file: string, voice: 'ada' | 'ben'): string =>
      `${name}=${folder.cut(file, voice, 12)}`;
    const { status, insights } = await replayJson(
      ...['--track', track('Ada  Lovelace 🎧', 'a = b.wav', 'ada')],
      ...['--track', track('Ben "O\'Neil" 👩🏽‍🚀', 'Gespräch übers 50 %.wav', 'ben')],
    );
    expect(status).toBe(0);
    const speakers = summaryOf(insights).speakers.map(({ speaker }) => speaker);
    expect(speakers.map(({ name }) => name).sort()).toEqual(['Ada Lovelace 🎧', 'Ben "O\'Neil" 👩🏽‍🚀']);
    expect(new Set(speakers.map(({ id }) => id)).size).toBe(2);
  });

  it('gives a modality that drops out weight 0 from then on, and the call goes on.', async () => {
    const captions = folder.write('half.vtt', CAPTIONS_12S.split('\n\n').slice(0, 2).join('\n\n'));
    const tracks = [
      '--track',
      `Ada=${folder.cut('a.wav', 'ada', 24)}`,
      '--track',
      `Ben=${folder.cut('b.wav', 'ben', 24)}`,
    ];
    const { insights } = await replayJson(...tracks, '--captions', captions);
    const said = finals(insights);
    const [withText, without] = [said.filter(({ text }) => text !== null), said.filter(({ text }) => text === null)];
    expect(withText.map(({ modalityWeights }) => modalityWeights.text > 0)).toEqual([true]);
    expect(without.length).toBeGreaterThan(3);
    for (const { modalityWeights, availability } of without) {
      expect(modalityWeights).toEqual({ text: 0, audio: 1, face: 0, body: 0 });
      expect(availability.text).toEqual({ share: 0, reason: 'no_captions' });
    }
    expect(absences(insights, 'no_captions').map(({ modality }) => modality)).toContain('text');
  });

  it('looks at no face with no-face, and neither hears nor sees anything with text-only.', async () => {
    const film = folder.cut('film.mp4', 'ada', 12, ['-c', 'copy']);
    const args = [film, '--captions', folder.write('call.vtt', CAPTIONS_12S)];
    const faceless = await replayJson(...args, '--privacy', 'no-face');
    expect(absences(faceless.insights, 'privacy').map(({ modality }) => modality)).toEqual(['face']);
    expect(finals(faceless.insights).every(({ modalityWeights }) => modalityWeights.audio > 0)).toBe(true);
    const textOnly = await replayJson(...args, '--privacy', 'text-only');
    expect(textOnly.insights[0]).toMatchObject({ type: 'session', privacy: 'text-only' });
    expect(
      absences(textOnly.insights, 'privacy')
        .map(({ modality }) => modality)
        .sort(),
    ).toEqual(['audio', 'body', 'face']);
    expect(finals(textOnly.insights).map(({ speaker, modalityWeights }) => [speaker.name, modalityWeights])).toEqual(
      ['Ada', 'Ben', 'Ada'].map((name) => [name, { text: 1, audio: 0, face: 0, body: 0 }]),
    );
  });
});
