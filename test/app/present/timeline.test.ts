import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModalityInsight } from '../../../src/domain/insight.ts';
import { renderCaptionsVtt } from '../../../src/app/present/captionsVtt.ts';
import { missingStretches } from '../../../src/app/present/timeline.ts';
import { renderTimelineSvg } from '../../../src/app/present/timelineSvg.ts';
import {
  ANNA,
  BEN,
  modalityInsight,
  sampleFinals,
  sampleSession,
  sampleUtterance,
} from '../../support/sampleInsights.ts';

const changes = sampleSession().filter((insight): insight is ModalityInsight => insight.type === 'modality');
const sample = { utterances: sampleFinals(), modalityChanges: changes, durationMs: 42_000 };

/** Element names of a well-formed XML text, or the reason it is not well-formed. */
function elementsOf(xml: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  let rest = xml;
  while (rest !== '') {
    const text = /^(?:[^<&]|&(?:amp|lt|gt|quot|#39);)+/.exec(rest);
    const tag = /^<(\/?)([a-z]+)((?: [A-Za-z:-]+="(?:[^"<&]|&(?:amp|lt|gt|quot|#39);)*")*)(\/?)>/.exec(rest);
    if (!text && !tag) throw new Error(`not well-formed at ${rest.slice(0, 40)}`);
    rest = rest.slice((text ?? tag)?.[0].length);
    if (!tag) continue;
    const name = tag[2] ?? '';
    if (tag[1] !== '/') names.push(name);
    if (tag[1] === '/' && open.pop() !== name) throw new Error(`</${name}> closes nothing`);
    if (tag[1] !== '/' && tag[4] !== '/') open.push(name);
  }
  if (open.length > 0) throw new Error(`${open.join()} not closed`);
  return names;
}

describe('missingStretches', () => {
  it('runs from absent to the next change, and to the end when nothing follows', () => {
    const ben = missingStretches('ben', { ...sample, utterances: [] });
    expect(ben).toEqual([
      { modality: 'text', startMs: 29_900, endMs: 35_800, reason: 'no_captions' },
      { modality: 'face', startMs: 0, endMs: 42_000, reason: 'no_extractor' },
      { modality: 'body', startMs: 0, endMs: 42_000, reason: 'no_video' },
    ]);
  });

  it('adds utterances that had nothing of a modality, unless a longer stretch covers them already', () => {
    const text = missingStretches('ben', sample).filter(({ modality }) => modality === 'text');
    expect(text.map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
      [22_100, 25_400],
      [26_000, 29_900],
      [29_900, 35_800],
    ]);
    expect(missingStretches('anna', sample).filter(({ modality }) => modality === 'text')).toEqual([]);
  });

  it('starts anew when the reason changes, and ignores what concerns others', () => {
    const modalityChanges = [
      modalityInsight({ atMs: 9_000, modality: 'audio', state: 'absent', reason: 'track_ended', speaker: ANNA }),
      modalityInsight({ atMs: 1_000, modality: 'audio', state: 'absent', reason: 'no_speech', speaker: ANNA }),
      modalityInsight({ atMs: 2_000, modality: 'audio', state: 'absent', reason: 'decode_error', speaker: BEN }),
    ];
    expect(missingStretches('anna', { utterances: [], modalityChanges, durationMs: 10_000 })).toEqual([
      { modality: 'audio', startMs: 1_000, endMs: 9_000, reason: 'no_speech' },
      { modality: 'audio', startMs: 9_000, endMs: 10_000, reason: 'track_ended' },
    ]);
  });
});

describe('renderTimelineSvg', () => {
  it('draws a block per utterance with a tooltip of what was said, and hatches what was missing with the reason', () => {
    const svg = renderTimelineSvg(sample);
    expect(svg.match(/<g class="utterance">/g)).toHaveLength(12);
    expect(svg).toContain('<title>Anna, 00:01.2–00:03.4\njoy 91 % (text 61 %, audio 39 %)\nI got the job!</title>');
    expect(svg).toContain('<title>text missing, 00:29.9–00:35.8: no captions</title>');
    expect(svg.match(/class="name">(Anna|Ben)</g)).toHaveLength(2);
    for (const label of ['anger', 'fear', 'joy', 'neutral', 'sadness', 'surprise'])
      expect(svg).toContain(`>${label}</text>`);
  });

  it('draws a surer utterance higher', () => {
    const heightAt = (confidence: number): number => {
      const svg = renderTimelineSvg({ ...sample, utterances: [sampleUtterance({ confidence })] });
      return Number(/<g class="utterance">.*?height="([\d.]+)"/s.exec(svg)?.[1]);
    };
    expect([heightAt(0), heightAt(0.5), heightAt(1)]).toEqual([12, 26, 40]);
  });

  it('is well-formed XML whatever is said by whom', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom(']]>', '<script>', '&amp;', '"\'', '\u001b[1m', '\ud800'),
    );
    fc.assert(
      fc.property(hostile, hostile, hostile, (text, name, label) => {
        const utterances = [sampleUtterance({ text, label, speaker: { id: name, name, source: 'track' } })];
        expect(elementsOf(renderTimelineSvg({ ...sample, utterances }))).not.toContain('script');
      }),
    );
  });

  it('breaks an hour into twelve strips of 5 min, and a day into 24 of an hour', () => {
    const stripsOf = (durationMs: number): number =>
      renderTimelineSvg({ ...sample, durationMs }).match(/class="name">Anna</g)?.length ?? 0;
    expect([42_000, 300_000, 300_001, 3_600_000, 86_400_000].map(stripsOf)).toEqual([1, 1, 2, 12, 24]);
  });

  it('draws an utterance that crosses strips in both, and every block inside the plot', () => {
    const utterances = [sampleUtterance({ startMs: 299_000, endMs: 304_000 })];
    const svg = renderTimelineSvg({ utterances, modalityChanges: [], durationMs: 600_000 });
    const blocks = [...svg.matchAll(/<\/title><rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="[\d.]+" rx/g)];
    expect(blocks).toHaveLength(2);
    for (const [, x, width] of blocks) {
      expect(Number(x)).toBeGreaterThanOrEqual(130);
      expect(Number(x) + Number(width)).toBeLessThanOrEqual(1176.5);
    }
  });

  it('holds for a session without utterances and for more speakers than lanes', () => {
    expect(elementsOf(renderTimelineSvg({ utterances: [], modalityChanges: [], durationMs: 0 }))).toContain('svg');
    const crowd = Array.from({ length: 40 }, (_, index) =>
      sampleUtterance({ speaker: { id: `s${index}`, name: `S${index}`, source: 'rttm' } }),
    );
    expect(renderTimelineSvg({ ...sample, utterances: crowd })).toContain('8 more speakers not drawn');
  });
});

describe('renderCaptionsVtt', () => {
  it('writes a cue per utterance in order of time, with voice and emotion', () => {
    const vtt = renderCaptionsVtt(sampleFinals().toReversed(), 0);
    expect(vtt.split('\n').slice(0, 6)).toEqual([
      'WEBVTT',
      '',
      '00:00:01.200 --> 00:00:03.400',
      '<v Anna>[joy 91 %] I got the job!',
      '',
      '00:00:03.700 --> 00:00:05.100',
    ]);
    expect(vtt).toContain('<v Ben>[anger 61 %] (no text: no captions)');
  });

  it('lets no text end a cue, start a tag or forge a time line', () => {
    const evil = 'a\n\n00:00:00.000 --> 00:09:00.000\n<b>bold</b> & "more"';
    const vtt = renderCaptionsVtt([sampleUtterance({ text: evil, speaker: { ...ANNA, name: 'A>\nB' } })], 0);
    expect(vtt.split('\n')).toEqual([
      'WEBVTT',
      '',
      '00:00:01.200 --> 00:00:03.400',
      '<v A&gt; B>[joy 72 %] a 00:00:00.000 --&gt; 00:09:00.000 &lt;b&gt;bold&lt;/b&gt; &amp; &quot;more&quot;',
      '',
    ]);
  });

  it('keeps times ordered within a cue, past an hour, and says how many utterances were left out', () => {
    const vtt = renderCaptionsVtt([sampleUtterance({ startMs: 3_723_004, endMs: 3_723_004 })], 7);
    expect(vtt).toContain('NOTE 7 later utterances were left out\n\n01:02:03.004 --> 01:02:03.005\n');
  });

  it('has one time line per utterance whatever is said', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 40 }), { maxLength: 9 }), (texts) => {
        const vtt = renderCaptionsVtt(
          texts.map((text) => sampleUtterance({ text })),
          0,
        );
        expect(vtt.split('\n').filter((line) => line.includes('-->'))).toHaveLength(texts.length);
        expect(vtt.split(/\n{2,}/)).toHaveLength(1 + Math.max(1, texts.length));
      }),
    );
  });
});
