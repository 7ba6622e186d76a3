import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RTTM_LIMITS } from '../../../../adapters/diarization/rttm/lines.ts';
import { parseRttm } from '../../../../adapters/diarization/rttm/parseRttm.ts';
import { isUndertoneError } from '../../../../src/errors.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (text: string, fileId?: string): ReturnType<typeof parseRttm> =>
  parseRttm(encode(text), { streamId: 'mixed', ...(fileId === undefined ? {} : { fileId }) });
const speakerLine = (fileId: string, start: string, duration: string, name: string): string =>
  `SPEAKER ${fileId} 1 ${start} ${duration} <NA> <NA> ${name} <NA> <NA>`;
const turnsOf = (text: string, fileId?: string): string[] =>
  parse(text, fileId).turns.map((turn) => `${turn.speaker.name} ${turn.startMs}-${turn.endMs}`);
const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return isUndertoneError(error) ? error.code : `not ours: ${String(error)}`;
  }
  return 'nothing thrown';
};

describe('parseRttm', () => {
  it('returns a turn with its speaker, in ms, arriving when it ends', () => {
    expect(parse(speakerLine('call', '1.25', '0.5', 'A')).turns).toEqual([
      {
        type: 'speakerTurn',
        arrivalMs: 1750,
        streamId: 'mixed',
        speaker: { id: 'A', name: 'A', source: 'rttm' },
        startMs: 1250,
        endMs: 1750,
      },
    ]);
  });

  it('reads nine fields, tabs, runs of blanks, comments, a byte order mark and every line end', () => {
    const text = [
      '\uFEFF;; made by hand',
      'SPEAKER\tcall\t1\t2\t1\t<NA>\t<NA>\tB\t<NA>',
      '',
      '  SPEAKER   call 1   0.0  1.0 <NA> <NA>   A   <NA> <NA>  ',
      '; another comment',
      speakerLine('call', '3e0', '.5', 'C'),
    ];
    for (const lineEnd of ['\n', '\r\n', '\r']) {
      const { turns, problems } = parse(text.join(lineEnd));
      expect(turns.map((turn) => [turn.speaker.name, turn.startMs, turn.endMs])).toEqual([
        ['A', 0, 1000],
        ['B', 2000, 3000],
        ['C', 3000, 3500],
      ]);
      expect(problems).toEqual([]);
    }
  });

  it('reads UTF-16 with a byte order mark and names in any script', () => {
    const text = `\uFEFF${speakerLine('call', '0', '1', 'Зоя')}`;
    const little = Uint8Array.from(Buffer.from(text, 'utf16le'));
    const big = Uint8Array.from(Buffer.from(text, 'utf16le').swap16());
    for (const bytes of [little, big]) {
      expect(parseRttm(bytes, { streamId: 's' }).turns[0]?.speaker.name).toBe('Зоя');
    }
  });

  it('keeps overlapping turns of different speakers and merges those of one speaker', () => {
    const lines = [
      speakerLine('call', '0', '2', 'A'),
      speakerLine('call', '1', '1', 'B'),
      speakerLine('call', '1.5', '2', 'A'),
      speakerLine('call', '1.6', '0.1', 'A'),
      speakerLine('call', '9', '1', 'A'),
    ].join('\n');
    expect(turnsOf(lines)).toEqual(['A 0-3500', 'B 1000-2000', 'A 9000-10000']);
    const { turns, problems } = parse(lines);
    expect(turns[0]?.arrivalMs).toBe(3500);
    expect(problems.map((problem) => problem.line)).toEqual([3, 4]);
  });

  it.each([
    ['a negative duration', 'call', '0', '-1', 'A', 'start and duration are seconds, 0 or more'],
    ['a negative start', 'call', '-0.5', '1', 'A', 'start and duration are seconds, 0 or more'],
    ['a duration that is no number', 'call', '0', 'NaN', 'A', 'start and duration are seconds, 0 or more'],
    ['an endless duration', 'call', '0', 'Infinity', 'A', 'start and duration are seconds, 0 or more'],
    ['a duration of years', 'call', '0', '1e9', 'A', 'start and duration are seconds, 0 or more'],
    ['a hexadecimal start', 'call', '0x10', '1', 'A', 'start and duration are seconds, 0 or more'],
    ['a duration of 0', 'call', '0', '0.000', 'A', 'duration is 0'],
    ['no name', 'call', '0', '1', '<NA>', 'no speaker name'],
    ['an endless name', 'call', '0', '1', 'x'.repeat(201), 'file id or speaker name over 200 characters'],
    ['too few fields', 'call', '0', '1', '', 'a SPEAKER line has 9 or 10 fields'],
    ['too many fields', 'call', '0', '1', 'A B C', 'a SPEAKER line has 9 or 10 fields'],
  ])('leaves out a line with %s and says which rule it breaks', (_what, fileId, start, duration, name, rule) => {
    const bad = name === '' ? `SPEAKER ${fileId} 1 ${start} ${duration}` : speakerLine(fileId, start, duration, name);
    const { turns, problems } = parse(`${speakerLine('call', '5', '1', 'ok')}\n${bad}`);
    expect(turns.map((turn) => turn.speaker.name)).toEqual(['ok']);
    expect(problems).toEqual([{ line: 2, rule }]);
  });

  it('ignores lines of other types and counts them', () => {
    const text = [
      'SPKR-INFO call 1 <NA> <NA> <NA> unknown A <NA>',
      speakerLine('call', '0', '1', 'A'),
      'LEXEME call 1 0 1 hi lex A 1',
    ];
    expect(parse(text.join('\n')).problems).toEqual([
      { line: 1, rule: '2 lines of a type other than SPEAKER ignored' },
    ]);
  });

  it('lists at most a bounded number of problems and counts the rest', () => {
    const bad = `${speakerLine('call', '0', '0', 'A')}\n`.repeat(RTTM_LIMITS.problems + 7);
    const { problems } = parse(bad + speakerLine('call', '0', '1', 'A'));
    expect(problems).toHaveLength(RTTM_LIMITS.problems + 1);
    expect(problems.at(-1)).toEqual({ line: 0, rule: '7 further problems not listed' });
  });

  describe('choosing the recording', () => {
    const many = [
      speakerLine('dev00', '0', '1', 'D'),
      speakerLine('00', '0', '1', 'Z'),
      speakerLine('ami-dev01', '0', '1', 'E'),
    ].join('\n');

    it('takes the file id equal to the base name, with or without extension', () => {
      expect(turnsOf(many, 'ami-dev01')).toEqual(['E 0-1000']);
      expect(turnsOf(many, 'dev00.wav')).toEqual(['D 0-1000']);
    });

    it.each(['ami-dev00', 'ami_dev00', 'ami.dev00', 'ami-dev00.wav', 'x-ami-dev00'])(
      'takes the file id that the base name %s ends with',
      (fileId) => {
        expect(turnsOf(many, fileId)).toEqual(['D 0-1000']);
      },
    );

    it('prefers the longest file id that fits', () => {
      const text = [speakerLine('00', '0', '1', 'short'), speakerLine('dev-00', '0', '1', 'long')].join('\n');
      expect(turnsOf(text, 'ami-dev-00')).toEqual(['long 0-1000']);
    });

    it('takes the only file id whatever the recording is called', () => {
      expect(turnsOf(speakerLine('sample', '0', '1', 'A'), 'pyannote')).toEqual(['A 0-1000']);
      expect(turnsOf(speakerLine('sample', '0', '1', 'A'))).toEqual(['A 0-1000']);
    });

    it('refuses several file ids of which none fits, and names them', () => {
      expect(codeOf(() => parse(many, 'xdev00'))).toBe('BAD_RTTM');
      expect(codeOf(() => parse(many))).toBe('BAD_RTTM');
      expect(() => parse(many)).toThrow(/dev00/);
    });

    it('names at most twenty file ids, without control characters', () => {
      const text = Array.from({ length: 25 }, (_, id) => speakerLine(`id${id}\u001B`, '0', '1', 'A')).join('\n');
      expect(() => parse(text)).toThrow(/id0\?, .*and 5 more$/);
    });
  });

  it.each([
    ['nothing', '', 'FILE_EMPTY'],
    ['blanks', ' \n\t\r\n', 'FILE_EMPTY'],
    ['prose', 'This is not a diarization.', 'BAD_RTTM'],
    ['only comments', ';; nobody spoke', 'BAD_RTTM'],
    ['only broken lines', speakerLine('call', '0', '0', 'A'), 'BAD_RTTM'],
    ['too many lines', '\n'.repeat(RTTM_LIMITS.lines) + 'x', 'LIMIT_EXCEEDED'],
  ])('refuses %s with its code', (_what, text, code) => {
    expect(codeOf(() => parse(text))).toBe(code);
  });

  it('refuses a file over the limit of bytes unread', () => {
    expect(codeOf(() => parseRttm(new Uint8Array(RTTM_LIMITS.fileBytes + 1), { streamId: 's' }))).toBe(
      'LIMIT_EXCEEDED',
    );
  });

  it('returns sorted, disjoint turns per speaker or an UndertoneError, whatever the lines', () => {
    const field = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('SPEAKER', 'call', '1', '<NA>', 'A', 'B', '0', '0.5', '2', '-1', 'NaN') },
      { weight: 1, arbitrary: fc.string() },
    );
    const good = fc
      .tuple(fc.integer({ min: 0, max: 99 }), fc.integer({ min: 0, max: 9 }), fc.constantFrom('A', 'B', 'C'))
      .map(([start, duration, name]) => speakerLine('call', String(start / 10), String(duration), name));
    const line = fc.oneof(
      good,
      fc.array(field, { maxLength: 11 }).map((fields) => fields.join(' ')),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
        let turns: ReturnType<typeof parseRttm>['turns'] = [];
        const code = codeOf(() => {
          turns = parse(lines.join('\n'), 'call').turns;
        });
        expect(code).not.toMatch(/^not ours/);
        const ends = new Map<string, number>();
        let startMs = 0;
        for (const turn of turns) {
          expect(turn.startMs).toBeGreaterThanOrEqual(startMs);
          expect(turn.endMs).toBeGreaterThan(turn.startMs);
          expect(turn.arrivalMs).toBe(turn.endMs);
          expect(turn.startMs).toBeGreaterThan(ends.get(turn.speaker.id) ?? -1);
          ends.set(turn.speaker.id, turn.endMs);
          startMs = turn.startMs;
        }
      }),
      { numRuns: 300 },
    );
  });

  it('never throws anything but an UndertoneError, whatever the bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc
        .uint8Array({ maxLength: 60 })
        .map((tail) => Uint8Array.of(...encode(speakerLine('a', '0', '1', 'A')), ...tail)),
    );
    fc.assert(
      fc.property(bytes, (input) => {
        expect(codeOf(() => parseRttm(input, { streamId: 's' }))).not.toMatch(/^not ours/);
      }),
      { numRuns: 300 },
    );
  });

  const shared = process.env['UNDERTONE_SHARED'];
  const real = shared === undefined ? it.skip : it;
  real(`${shared === undefined ? 'skipped: UNDERTONE_SHARED is not set: ' : ''}reads two real RTTM files`, () => {
    const read = (name: string): Uint8Array => readFileSync(join(shared ?? '', 'audio', name));
    const sample = parseRttm(read('pyannote-sample.rttm'), { streamId: 's', fileId: 'pyannote-sample' });
    expect(sample.turns).toHaveLength(10);
    expect(new Set(sample.turns.map((turn) => turn.speaker.id))).toEqual(new Set(['speaker90', 'speaker91']));
    const meeting = parseRttm(read('ami.rttm'), { streamId: 's', fileId: 'ami-dev00' });
    expect(meeting.turns).toHaveLength(9);
    expect(meeting.problems).toEqual([]);
  });
});
