import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { UtteranceInsight } from '../../src/domain/insight.ts';
import { hasPocketsphinx } from '../support/pocketsphinx.ts';
import { wordErrorRate } from '../support/wordErrorRate.ts';
import { CALL, createCallFolder, replayJson } from './call.ts';
import { SAID } from './said.ts';

const shared = process.env['UNDERTONE_SHARED'];

describe('word error rate', () => {
  it('counts what is replaced, left out and put in.', () => {
    expect(wordErrorRate('a b c d', 'A, b c d.')).toBe(0);
    expect(wordErrorRate('a b c d', 'a x d')).toBe(0.5);
    expect(wordErrorRate('a b', 'a b c d e')).toBe(1.5);
    expect(wordErrorRate('a b', '')).toBe(1);
  });
});

describe('undertone replay --asr pocketsphinx', () => {
  if (!hasPocketsphinx()) {
    it.skip('skipped: apt-get install libpocketsphinx3 pocketsphinx-en-us');
    return;
  }
  const recognize = async (...args: string[]) => {
    const { status, insights, err } = await replayJson(...args, '--asr', 'pocketsphinx');
    const finals = insights
      .filter((insight): insight is UtteranceInsight => insight.type === 'utterance')
      .filter(({ status: state }) => state === 'final');
    return { status, insights, err, finals };
  };

  if (shared === undefined) it.skip('skipped: the recordings need UNDERTONE_SHARED.');
  else
    it.each(Object.entries(SAID))('hears words in %s, some of them wrong.', async (name, said) => {
      const { status, insights, err, finals } = await recognize(join(shared, 'audio', name));
      const rate = wordErrorRate(said, finals.map(({ text }) => text ?? '').join(' '));
      console.log(`${name}: word error rate ${(rate * 100).toFixed(0)} %`);
      expect(status).toBe(0);
      expect(err).toContain('pocketsphinx (low accuracy, for demonstration)');
      expect(rate).toBeLessThan(0.8);
      expect(insights.some(({ type }) => type === 'interim')).toBe(true);
    });

  it('gives each track its own text.', async () => {
    const folder = createCallFolder();
    const [ada, ben] = (['ada', 'ben'] as const).map((voice) => folder.cut(`${voice}.wav`, voice, 7));
    const tracks = ['--track', `Ada=${ada}`, '--track', `Ben=${ben}`];
    const { status, finals } = await recognize(...tracks);
    folder.remove();
    expect(status).toBe(0);
    expect(new Set(finals.filter(({ text }) => text !== null).map(({ speaker }) => speaker.id))).toEqual(
      new Set(['Ada', 'Ben']),
    );
  }, 300_000);

  it('refuses captions beside it, and a recognizer that there is not.', async () => {
    const both = await replayJson(
      join(CALL, 'ada.mp4'),
      '--asr',
      'pocketsphinx',
      '--captions',
      join(CALL, 'captions.vtt'),
    );
    expect(both.status).toBe(2);
    expect(both.err).toContain('BAD_OPTION: --asr and --captions');
    const none = await replayJson(join(CALL, 'ada.mp4'), '--asr', 'whisky');
    expect(none.status).toBe(2);
    expect(none.err).toContain('BAD_OPTION: --asr takes one or more of:');
  });
});
