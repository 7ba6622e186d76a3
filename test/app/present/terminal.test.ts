import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Insight } from '../../../src/domain/insight.ts';
import { renderLiveScreen } from '../../../src/app/present/liveScreen.ts';
import { createPaint } from '../../../src/app/present/paint.ts';
import { renderSummary } from '../../../src/app/present/summaryScreen.ts';
import { createTerminalView, type TerminalOptions } from '../../../src/app/present/terminal.ts';
import { displayWidth } from '../../../src/app/present/textWidth.ts';
import {
  EMPTY_VIEW,
  MAX_SPEAKERS,
  RECENT_UTTERANCES,
  reduceView,
  type ViewState,
} from '../../../src/app/present/viewState.ts';
import {
  ANNA,
  BEN,
  modalityInsight,
  sampleSession,
  sampleSummary,
  sampleUtterance,
} from '../../support/sampleInsights.ts';
import { anyInsight } from '../../protocol/arbitraryInsight.ts';
import { captureOutput, screenOf, type CapturedOutput } from './captureOutput.ts';

const plain = createPaint(1);
const viewOf = (insights: readonly Insight[]): ViewState => insights.reduce(reduceView, EMPTY_VIEW);
type Captured = Omit<TerminalOptions, 'out' | 'err'> & { readonly out: CapturedOutput; readonly err: CapturedOutput };
const optionsFor = (columns?: number, overrides: Partial<Omit<TerminalOptions, 'out' | 'err'>> = {}): Captured => {
  const size = columns === undefined ? undefined : { columns, rows: 30 };
  const [out, err] = [captureOutput(size), captureOutput(size)];
  return { out, err, env: {}, speed: 1, durationMs: 42_000, nowMs: () => 0, ...overrides };
};

describe('the view state', () => {
  it('keeps one row per utterance, the latest insight of each, in order of time', () => {
    const view = viewOf(sampleSession());
    expect(view.recent.map(({ startMs }) => startMs)).toEqual(
      view.recent.map(({ startMs }) => startMs).toSorted((a, b) => a - b),
    );
    expect(view.recent).toHaveLength(12);
    expect(view.recent.every(({ status }) => status === 'final')).toBe(true);
  });

  it('shows text that comes after the final answer as final', () => {
    const late = sampleUtterance({ text: 'late', status: 'revised', revision: 3 });
    expect(viewOf([sampleUtterance({ text: null }), late]).recent).toEqual([{ ...late, status: 'final' }]);
  });

  it('takes modalities from modality insights first, and from utterances where none spoke of them', () => {
    const absent = modalityInsight({
      atMs: 5,
      modality: 'text',
      state: 'absent',
      reason: 'no_captions',
      speaker: ANNA,
    });
    const modalities = viewOf([absent, sampleUtterance()]).speakers.get('anna')?.modalities;
    expect(modalities?.text).toEqual({ isPresent: false, reason: 'no_captions' });
    expect(modalities?.face).toEqual({ isPresent: false, reason: 'no_extractor' });
  });

  it('applies what concerns everybody to those who are there and to those who come later', () => {
    const everyone = modalityInsight({ atMs: 5, modality: 'audio', state: 'absent', reason: 'privacy' });
    const view = viewOf([sampleUtterance(), everyone, sampleUtterance({ speaker: BEN, utteranceId: 'u2' })]);
    expect(view.speakers.get('anna')?.modalities.audio).toEqual({ isPresent: false, reason: 'privacy' });
    expect(view.speakers.get('ben')?.modalities.audio).toEqual({ isPresent: false, reason: 'privacy' });
  });

  it('stays bounded however many utterances and speakers come', () => {
    const many = Array.from({ length: 300 }, (_, index) =>
      sampleUtterance({ utteranceId: `u${index}`, startMs: index, speaker: { ...ANNA, id: `s${index}` } }),
    );
    const view = viewOf(many);
    expect([view.recent.length, view.speakers.size]).toEqual([RECENT_UTTERANCES, MAX_SPEAKERS]);
    expect(view.recent.at(-1)?.utteranceId).toBe('u299');
  });
});

describe('the live screen', () => {
  it('shows who is there with which modalities, and the latest utterances with label, confidence and weights', () => {
    const screen = renderLiveScreen(viewOf(sampleSession()), { width: 100, height: 30 }, plain).split('\n');
    expect(screen[0]).toBe(' undertone  00:42   weights meld-7 · wasm · look-ahead 1 · privacy none');
    expect(screen[2]).toBe(' Ben   text ✓  audio ✓  face ✗ no extractor  body ✗ no video');
    expect(screen).toContainEqual(
      expect.stringMatching(/^ ● 00:01\.2 Anna I got the job! +joy +━━━━━━━━━─ 91 %  T▇▇▇ A▇▇$/),
    );
    expect(screen).toContainEqual(expect.stringMatching(/^ ● 00:26\.0 Ben {2}\(no text: no captions\) +anger/));
    expect(screen.at(-1)).toBe(' ! 1 fault, last: DECODE_ERROR stream 1: 3 packets lost');
  });

  it('tells provisional from final by a mark, and by dimming where there are colours', () => {
    const [provisional, final] = [sampleUtterance({ status: 'provisional' }), sampleUtterance()];
    const rowOf = (insight: Insight, depth: number): string | undefined =>
      renderLiveScreen(viewOf([insight]), { width: 80, height: 24 }, createPaint(depth))
        .split('\n')
        .at(-1);
    expect([rowOf(provisional, 1)?.slice(0, 3), rowOf(final, 1)?.slice(0, 3)]).toEqual([' ○ ', ' ● ']);
    expect(rowOf(provisional, 8)).toMatch(/\u001b\[2mI got the job!/);
    expect(rowOf(final, 8)).toMatch(/\u001b\[0mI got the job!/);
  });

  it('is never wider or higher than the terminal, whatever is said by whom', () => {
    const said = fc.record({
      text: fc.option(fc.string({ unit: 'grapheme', maxLength: 80 })),
      name: fc.string({ unit: 'grapheme', maxLength: 30 }),
      label: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
    });
    const size = fc.record({ width: fc.integer({ min: 20, max: 140 }), height: fc.integer({ min: 14, max: 50 }) });
    fc.assert(
      fc.property(fc.array(said, { maxLength: 40 }), size, (all, { width, height }) => {
        const insights = all.map(({ text, name, label }, index) =>
          sampleUtterance({ text, label, utteranceId: `u${index}`, speaker: { id: name, name, source: 'track' } }),
        );
        const lines = renderLiveScreen(viewOf(insights), { width, height }, createPaint(8)).split('\n');
        expect(lines.length).toBeLessThan(height);
        for (const line of lines) expect(displayWidth(stripVTControlCharacters(line))).toBeLessThanOrEqual(width);
      }),
      { numRuns: 60 },
    );
  });

  it('says that it listens while nobody has spoken, and what is absent from the start', () => {
    const view = viewOf([modalityInsight({ atMs: 0, modality: 'face', state: 'absent', reason: 'privacy' })]);
    expect(renderLiveScreen(view, { width: 60, height: 20 }, plain)).toMatch(
      /nobody has spoken yet {2}face ✗ privacy\n─+\n listening …$/,
    );
  });

  it('names six speakers and counts the others', () => {
    const insights = Array.from({ length: 8 }, (_, index) =>
      sampleUtterance({
        utteranceId: `u${index}`,
        speaker: { id: `s${index}`, name: `Speaker ${index}`, source: 'rttm' },
      }),
    );
    expect(renderLiveScreen(viewOf(insights), { width: 90, height: 30 }, plain)).toContain(' … and 2 more speakers\n');
  });
});

describe('the summary', () => {
  it('shows talk time, shares as bars, the trajectory over time and availability per speaker', () => {
    const text = renderSummary(sampleSummary(), 80, plain);
    expect(text).toContain(' Anna  00:18 (52 % of talk time) · 6 utterances');
    expect(text).toMatch(/^ {3}joy {5}━+╸─+ {2}56 %$/m);
    expect(text).toContain('available: text 100 %  audio 98 %  face 0 %  body 0 %');
    const rows = text.split('\n').filter((line) => line.startsWith('   00:00 '));
    expect(rows.map((row) => row.replace(/[^A-Z]/g, ''))).toEqual(['JJNFSJ', 'UJSNAN']);
    expect(new Set(rows.map(({ length }) => length))).toEqual(new Set([80]));
    expect(text.endsWith('A anger  F fear  J joy  N neutral  S sadness  U surprise')).toBe(true);
  });

  it('holds for a session in which nobody spoke', () => {
    const silent = { ...sampleSummary(), utterances: 0, speakers: [], faults: 0, droppedWords: 0, durationMs: 0 };
    expect(renderSummary(silent, 80, plain)).toBe(' Summary  00:00 · 0 utterances · 0 speakers · 0 faults');
  });
});

describe('createTerminalView on a terminal', () => {
  it('redraws one region in place, and leaves it with the summary below and the cursor shown', async () => {
    const options = optionsFor(100);
    const view = createTerminalView(options);
    for (const insight of sampleSession()) view.show(insight);
    await view.close();
    const screen = screenOf(options.out.text());
    expect(screen.filter((line) => line.includes('I got the job!'))).toHaveLength(1);
    expect(screen.filter((line) => line.startsWith(' undertone'))).toHaveLength(1);
    expect(screen.some((line) => line.startsWith(' Summary'))).toBe(true);
    expect(options.out.listenerCount('resize')).toBe(0);
  });

  it('redraws to the new width when the terminal changes its size', () => {
    const options = optionsFor(100);
    const view = createTerminalView(options);
    view.show(sampleUtterance());
    options.out.columns = 50;
    options.out.emit('resize');
    const rules = options.out.text().match(/─{20,}/g) ?? [];
    expect([rules[0]?.length, rules.at(-1)?.length]).toEqual([100, 50]);
    void view.close();
  });

  it('writes no colour when NO_COLOR is set', () => {
    const options = optionsFor(100, { env: { NO_COLOR: '1' } });
    createTerminalView(options).show(sampleUtterance());
    expect(options.out.text()).toContain('I got the job!');
    expect(options.out.text()).not.toMatch(/\u001b\[[0-9;]*m/);
  });
});

describe('createTerminalView on a pipe', () => {
  it('writes one line per final utterance and modality change, then the summary, without escape codes', async () => {
    const options = optionsFor();
    const view = createTerminalView(options);
    for (const insight of sampleSession()) view.show(insight);
    await view.close();
    const lines = options.out.text().split('\n');
    expect(lines[0]).toBe('00:00.0  everyone    face absent: no extractor');
    expect(lines[3]).toBe('00:01.2  Anna        joy         91 %  text 61 %  audio 39 %  I got the job!');
    expect(lines.slice(0, lines.indexOf('')).length).toBe(12 + 5);
    expect(options.out.text()).not.toContain('\u001b');
    expect(options.err.text()).toBe('fault DECODE_ERROR: stream 1: 3 packets lost\n');
  });

  it('tells a name that became known and media that never came, and leaves out what is being said', () => {
    const options = optionsFor();
    const view = createTerminalView(options);
    view.show({ type: 'interim', seq: 1, atMs: 100, streamId: 'asr', startMs: 0, endMs: 90, text: 'I got' });
    view.show({ type: 'speaker', seq: 2, atMs: 61_000, speakerId: 'S1', speaker: ANNA });
    const gap = { streamId: 'audio:anna', startMs: 62_000, endMs: 65_500, reason: 'disconnected' } as const;
    view.show({ type: 'gap', seq: 3, atMs: 66_000, ...gap });
    expect(options.out.text().split('\n')).toEqual([
      '01:01.0  Anna        known as S1 so far',
      '01:06.0  audio:anna  nothing from 01:02.0 to 01:05.5: disconnected',
      '',
    ]);
  });

  it('lets nothing from the conversation act on the terminal it is later shown in', () => {
    const evil = '\u001b[2J\u001b]0;owned\u0007x\u202e\r\ny';
    const options = optionsFor();
    const view = createTerminalView(options);
    view.show(sampleUtterance({ text: evil, speaker: { ...ANNA, name: evil }, label: evil }));
    view.show({ type: 'fault', seq: 1, atMs: 0, code: evil, message: evil });
    expect(options.out.text() + options.err.text()).not.toMatch(/[^\P{Cc}\n]|\u202e|owned/u);
    expect(options.out.text().trimEnd()).not.toContain('\n');
  });

  it('takes any insight the protocol allows', () => {
    fc.assert(
      fc.property(
        fc.array(anyInsight, { maxLength: 8 }),
        fc.constantFrom(undefined, 30, 70, 120),
        (insights, columns) => {
          const options = optionsFor(columns);
          const view = createTerminalView(options);
          for (const insight of insights) view.show(insight);
          expect(options.out.text().replace(/\u001b\[[?0-9;]*[A-Za-z]/g, '')).not.toMatch(/[^\P{Cc}\n]/u);
          void view.close();
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('createTerminalView at full speed', () => {
  it('shows percent, speed and time left by the injected clock, below the lines', () => {
    let nowMs = 1_000;
    const options = optionsFor(100, { speed: 'max', nowMs: () => nowMs });
    const view = createTerminalView(options);
    nowMs = 2_000;
    view.advance(21_000);
    expect(screenOf(options.err.text()).at(-1)).toBe(
      ` analyzing ${'━'.repeat(12)}${'─'.repeat(12)}  50 % · 21× real time · 00:01 left`,
    );
    view.show(sampleUtterance({ atMs: 21_000 }));
    expect(options.out.text()).toContain('I got the job!');
    expect(screenOf(options.err.text()).at(-1)).toMatch(/50 %/);
  });

  it('redraws at most ten times a second, and takes the bar away before the summary', async () => {
    let nowMs = 0;
    const options = optionsFor(100, { speed: 'max', nowMs: () => nowMs });
    const view = createTerminalView(options);
    for (let step = 1; step <= 1_000; step += 1) {
      nowMs = step;
      view.advance(step * 42);
    }
    expect(options.err.text().split('analyzing').length - 1).toBeLessThanOrEqual(11);
    view.show(sampleSummary());
    await view.close();
    expect(screenOf(options.err.text()).join('')).toBe('');
    expect(options.out.text()).toContain(' Summary');
  });

  it('writes a line per 10 % and the total to an output that is no terminal', async () => {
    let nowMs = 0;
    const options = optionsFor(undefined, { speed: 'max', nowMs: () => nowMs });
    const view = createTerminalView(options);
    for (let step = 1; step <= 42; step += 1) {
      nowMs = step * 100;
      view.advance(step * 1_000);
    }
    view.show(sampleSummary());
    await view.close();
    const lines = options.err.text().trimEnd().split('\n');
    expect(lines).toHaveLength(11);
    expect(lines[0]).toBe('12 % · 10× real time · 00:04 left');
    expect(lines.at(-1)).toBe('analyzed 00:42 in 00:04, 10× real time');
  });

  it('counts time where the length is unknown', () => {
    let nowMs = 0;
    const options = optionsFor(100, { speed: 'max', durationMs: null, nowMs: () => nowMs });
    const view = createTerminalView(options);
    nowMs = 500;
    view.advance(90_000);
    expect(screenOf(options.err.text()).at(-1)).toBe(' 01:30 analyzed · 180× real time');
  });
});
