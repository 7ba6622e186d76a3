import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CAPTION_LIMITS } from '../../../../adapters/asr/captions/cue.ts';
import type { CaptionFormat } from '../../../../adapters/asr/captions/parseCaptions.ts';
import { CAPTION_FORMATS, parseCaptions } from '../../../../adapters/asr/captions/parseCaptions.ts';
import type { ParsedCaptions } from '../../../../src/adapter.ts';
import { isUndertoneError } from '../../../../src/errors.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (text: string | Uint8Array, format?: CaptionFormat): ParsedCaptions =>
  parseCaptions(typeof text === 'string' ? encode(text) : text, {
    streamId: 'captions',
    ...(format === undefined ? {} : { format }),
  });
/** Transcripts as `Name start-end text`. */
const told = (text: string | Uint8Array, format?: CaptionFormat): string[] =>
  parse(text, format).transcripts.map((cue) => `${cue.speaker?.name ?? '?'} ${cue.startMs}-${cue.endMs} ${cue.text}`);
const errorOf = (act: () => unknown): { code: string; message: string } => {
  try {
    act();
  } catch (error) {
    if (isUndertoneError(error)) return { code: error.code, message: error.message };
    return { code: 'not ours', message: String(error) };
  }
  return { code: 'nothing thrown', message: '' };
};
const vtt = (...cues: string[]): string => `WEBVTT\n\n${cues.join('\n\n')}\n`;
const srt = (...cues: string[]): string => cues.map((cue, index) => `${index + 1}\n${cue}\n`).join('\n');

describe('parseCaptions', () => {
  it('returns a transcript that arrives when its cue ends', () => {
    expect(parse(vtt('00:01.000 --> 00:02.500\n<v Ada>Hello there'))).toEqual({
      transcripts: [
        {
          type: 'transcript',
          arrivalMs: 2500,
          streamId: 'captions',
          speaker: { id: 'Ada', name: 'Ada', source: 'captions' },
          startMs: 1000,
          endMs: 2500,
          text: 'Hello there',
        },
      ],
      problems: [],
    });
  });

  it('sorts by arrival and keeps the order of the file between cues that arrive together', () => {
    const text = vtt(
      '00:05.000 --> 00:09.000\nlast',
      '00:01.000 --> 00:02.000\nfirst',
      '00:04.000 --> 00:09.000\nlast too',
    );
    expect(told(text)).toEqual(['? 1000-2000 first', '? 5000-9000 last', '? 4000-9000 last too']);
  });

  it('keeps overlapping cues as they are', () => {
    expect(told(vtt('00:01.000 --> 00:04.000\n<v A>one', '00:02.000 --> 00:03.000\n<v B>two'))).toEqual([
      'B 2000-3000 two',
      'A 1000-4000 one',
    ]);
  });

  it.each(['\n', '\r\n', '\r'])('reads every line end (%j), with or without a byte order mark', (lineEnd) => {
    for (const text of [vtt('a\n00:01.000 --> 00:02.000\none\ntwo'), srt('00:00:01,000 --> 00:00:02,000\none\ntwo')]) {
      const file = text.replaceAll('\n', lineEnd);
      expect(told(file)).toEqual(['? 1000-2000 one two']);
      expect(told(`\uFEFF${file}`)).toEqual(['? 1000-2000 one two']);
    }
  });

  it('reads UTF-16 of both byte orders by its mark', () => {
    const text = `\uFEFF${vtt('00:01.000 --> 00:02.000\n<v Зоя>Приве́т 🙂')}`;
    const little = Buffer.from(text, 'utf16le');
    expect(told(Uint8Array.from(little))).toEqual(['Зоя 1000-2000 Приве́т 🙂']);
    expect(told(Uint8Array.from(little.swap16()))).toEqual(['Зоя 1000-2000 Приве́т 🙂']);
  });

  it('reads an SRT that is not UTF-8 as Windows-1252 and says so', () => {
    const bytes = Uint8Array.from(Buffer.from(srt('00:00:01,000 --> 00:00:02,000\ncafé'), 'latin1'));
    expect(told(bytes)).toEqual(['? 1000-2000 café']);
    expect(parse(bytes).problems).toEqual([{ line: 1, rule: 'not UTF-8, read as Windows-1252' }]);
    const web = Uint8Array.from(Buffer.from(vtt('00:01.000 --> 00:02.000\ncafé'), 'latin1'));
    expect(told(web)).toEqual(['? 1000-2000 caf\uFFFD']);
    expect(parse(web).problems).toEqual([{ line: 1, rule: 'bytes that are not UTF-8 replaced' }]);
  });

  describe('WebVTT', () => {
    it('skips the header, NOTE, STYLE and REGION blocks, identifiers and cue settings', () => {
      const text = [
        'WEBVTT - a title',
        'Kind: captions',
        '',
        'STYLE',
        '::cue { color: red }',
        '',
        'REGION',
        'id:fred',
        '',
        'NOTE a comment',
        'on two lines',
        '',
        'intro-1',
        '00:01.000 --> 00:02.000 position:10% align:left',
        'Hello',
        '',
        'NOTE',
        '',
      ].join('\n');
      expect(told(text)).toEqual(['? 1000-2000 Hello']);
      expect(parse(text).problems).toEqual([]);
    });

    it('reads a header without a blank line after it and its language', () => {
      const text = 'WEBVTT\nLanguage: en-GB\n00:01.000 --> 00:02.000\nHello';
      expect(parse(text).transcripts[0]).toMatchObject({ text: 'Hello', language: 'en-GB' });
      expect(parse(vtt('00:01.000 --> 00:02.000\nHello')).transcripts[0]).not.toHaveProperty('language');
    });

    it('reads hours that are left out, of one digit and over 99', () => {
      const text = vtt('00:01.000 --> 1:00:00.000\na', '123:00:00.000 --> 123:00:01.5\nb');
      expect(told(text)).toEqual(['? 1000-3600000 a', '? 442800000-442801500 b']);
    });

    it('takes the name from voice spans with classes, entities and blanks', () => {
      const text = vtt(
        '00:01.000 --> 00:02.000\n<v.loud.first Ada  Lovelace>one</v>',
        '00:02.000 --> 00:03.000\n<v\tBen &amp; Co>two',
        '00:03.000 --> 00:04.000\n<v>three',
        '00:04.000 --> 00:05.000\n<v  >four',
      );
      expect(told(text)).toEqual([
        'Ada Lovelace 1000-2000 one',
        'Ben & Co 2000-3000 two',
        '? 3000-4000 three',
        '? 4000-5000 four',
      ]);
    });

    it('splits a cue with several speakers in proportion to their text', () => {
      const text = vtt('00:00.000 --> 00:04.000\n<v Ada>abcdef</v> <v Ben>ab</v>\nnobody here');
      expect(told(text)).toEqual(['Ada 0-1263 abcdef', 'Ben 1263-1684 ab', '? 1684-4000 nobody here']);
      expect(new Set(parse(text).transcripts.map((cue) => cue.arrivalMs))).toEqual(new Set([4000]));
    });

    it('joins the spans of one speaker that follow each other', () => {
      expect(told(vtt('00:01.000 --> 00:02.000\n<v Ada>one</v> <v Ada>two</v>'))).toEqual(['Ada 1000-2000 one two']);
    });

    it('gives each span some time even in a cue too short to split into whole ms', () => {
      const { transcripts } = parse(vtt('00:00.000 --> 00:00.002\n<v A>abc</v><v B>def</v><v C>ghi</v>'));
      expect(transcripts).toHaveLength(3);
      expect(transcripts.every((cue) => cue.endMs > cue.startMs)).toBe(true);
    });

    it('removes markup, decodes entities once and leaves a lone < alone', () => {
      const text = vtt(
        '00:01.000 --> 00:02.000\n<c.red><b>R&amp;D</b></c> <00:01.500>is &lt;v&gt; &amp;lt; I <3 you&nbsp;&#33;&#x1F642; &nope; &#9999999;',
      );
      expect(told(text)).toEqual(['? 1000-2000 R&D is <v> &lt; I <3 you !🙂 &nope; &#9999999;']);
    });

    it('strips control characters that numeric entities smuggle in', () => {
      expect(told(vtt('00:01.000 --> 00:02.000\n<v A&#27;da>red&#x1b;[31m alert'))).toEqual([
        'A da 1000-2000 red [31m alert',
      ]);
    });

    it('begins a new cue at an arrow without a blank line before it', () => {
      const text = vtt('00:01.000 --> 00:02.000\none\n2\n00:02.000 --> 00:03.000\ntwo');
      expect(told(text)).toEqual(['? 1000-2000 one', '? 2000-3000 two']);
    });

    it('reads `Name: text` lines where the file has no voice span, and only there', () => {
      expect(told(vtt('00:01.000 --> 00:02.000\nAda: one', '00:02.000 --> 00:03.000\nBen: two'))).toEqual([
        'Ada 1000-2000 one',
        'Ben 2000-3000 two',
      ]);
      expect(told(vtt('00:01.000 --> 00:02.000\nAda: one', '00:02.000 --> 00:03.000\n<v Ben>two'))).toEqual([
        '? 1000-2000 Ada: one',
        'Ben 2000-3000 two',
      ]);
    });

    it('accepts a file in which nobody says anything', () => {
      expect(parse('WEBVTT')).toEqual({ transcripts: [], problems: [] });
    });
  });

  describe('SRT', () => {
    it('reads comma or point, hours over 99, tags, and numbers in any order or left out', () => {
      const text =
        '7\n100:00:01,000 --> 100:00:02,000 X1:0\n<i>one</i> {\\an8}<font color="red">two</font>\n\n00:00:05.5 --> 00:00:06\nthree\n';
      expect(told(text)).toEqual(['? 5500-6000 three', '? 360001000-360002000 one two']);
    });

    const first = '00:00:01,000 --> 00:00:02,000\n';
    const second = '00:00:02,000 --> 00:00:03,000\n';

    it.each(['Ada', 'Ada Lovelace', 'agent', 'SPEAKER_00', 'Guest 2', "O'Brien", 'Ada (Acme)', '李雷', '2'])(
      'takes the label %s for a name',
      (name) => {
        expect(told(srt(`${first}${name}: Hello`))).toEqual([`${name} 1000-2000 Hello`]);
      },
    );

    it.each([
      'a sentence, then: Hello',
      'What? Ada: Hello',
      'so this is what I said: Hello',
      'http://example.org Hello',
      'Meet at 10:30 sharp',
      `${'x'.repeat(41)}: Hello`,
      'One Two Three Four Five Six: Hello',
      ': Hello',
      '(door slams): Hello',
    ])('takes no name from "%s"', (text) => {
      expect(told(srt(`${first}${text}`))).toEqual([`? 1000-2000 ${text}`]);
    });

    it('takes a stray label in a file that does not name its speakers for text', () => {
      const film = srt(`${first}Remember: lock the door.`, `${second}I will.`, '00:00:03,000 --> 00:00:04,000\nGood.');
      expect(told(film)[0]).toBe('? 1000-2000 Remember: lock the door.');
    });

    it('takes a label that comes back for a name although most cues have none', () => {
      const cues = ['Ada: one', 'two', 'three', 'four', 'Ada: five'].map(
        (text, index) => `00:00:0${index},000 --> 00:00:0${index + 1},000\n${text}`,
      );
      expect(told(srt(...cues)).filter((cue) => cue.startsWith('Ada '))).toEqual([
        'Ada 0-1000 one',
        'Ada 4000-5000 five',
      ]);
    });

    it('tells two speakers in one cue apart and goes on with the speaker of the line before', () => {
      expect(told(srt('00:00:00,000 --> 00:00:01,000\n- Ada: abc\ndef\n- Ben: ghi'))).toEqual([
        'Ada 0-700 abc def',
        'Ben 700-1000 ghi',
      ]);
    });
  });

  describe('JSON captions', () => {
    const json = (...captions: unknown[]): string => JSON.stringify({ captions });

    it('reads speaker, arrival and language where they are given', () => {
      const text = json(
        { speaker: 'Ada', startMs: 0, endMs: 900, text: 'Late', arrivalMs: 5000, language: 'de' },
        { startMs: 1000, endMs: 2000, text: 'Hello' },
      );
      expect(parse(text).transcripts).toEqual([
        { type: 'transcript', arrivalMs: 2000, streamId: 'captions', startMs: 1000, endMs: 2000, text: 'Hello' },
        {
          type: 'transcript',
          arrivalMs: 5000,
          streamId: 'captions',
          speaker: { id: 'Ada', name: 'Ada', source: 'captions' },
          startMs: 0,
          endMs: 900,
          text: 'Late',
          language: 'de',
        },
      ]);
    });

    it.each([
      ['no object', 7, 'not an object'],
      ['null', null, 'not an object'],
      ['no text', { startMs: 0, endMs: 1 }, 'text breaks the schema'],
      ['a negative time', { startMs: -1, endMs: 1, text: 'a' }, 'startMs breaks the schema'],
      ['a time as text', { startMs: 0, endMs: '1', text: 'a' }, 'endMs breaks the schema'],
      ['a time beyond years', { startMs: 0, endMs: 1e300, text: 'a' }, 'endMs breaks the schema'],
      [
        'a language that is none',
        { startMs: 0, endMs: 1, text: 'a', language: 'English!' },
        'language breaks the schema',
      ],
    ])('leaves out a caption with %s and says by number which field it is', (_what, caption, rule) => {
      const { transcripts, problems } = parse(json({ startMs: 0, endMs: 1, text: 'good' }, caption));
      expect(transcripts.map((cue) => cue.text)).toEqual(['good']);
      expect(problems).toEqual([{ line: 2, rule }]);
    });

    it('takes an arrival before the start for a mistake', () => {
      const { transcripts, problems } = parse(json({ startMs: 500, endMs: 900, text: 'a', arrivalMs: 400 }));
      expect(transcripts[0]?.arrivalMs).toBe(900);
      expect(problems).toEqual([{ line: 1, rule: 'arrives before it starts, taken to arrive when it ends' }]);
    });

    it('treats a blank speaker as none', () => {
      expect(parse(json({ speaker: ' ', startMs: 0, endMs: 1, text: 'a' })).transcripts[0]).not.toHaveProperty(
        'speaker',
      );
    });
  });

  describe('what is left out or mended', () => {
    it('lists it by line and rule', () => {
      const text = vtt(
        '00:05.000 --> 00:04.000\nbackward',
        '00:06.000 --> 00:06.000\nfifteen letters',
        '00:99.000 --> 00:01.000\nbad seconds',
        '--> \nno times',
        'an orphan',
        '00:07.000 --> 00:08.000\n<i> </i>',
        '00:08.000 --> 00:09.000',
      );
      expect(parse(text).problems).toEqual([
        { line: 9, rule: 'timing line cannot be read' },
        { line: 12, rule: 'timing line cannot be read' },
        { line: 15, rule: 'text without a timing line' },
        { line: 3, rule: 'ends before it starts' },
        { line: 6, rule: 'ends when it starts, given the time its text takes' },
        { line: 17, rule: 'no text' },
        { line: 20, rule: 'no text' },
      ]);
      expect(told(text)).toEqual(['? 6000-7000 fifteen letters']);
    });

    it('cuts text and drops names over their limits', () => {
      const long = parse(vtt(`00:01.000 --> 00:02.000\n${'a'.repeat(CAPTION_LIMITS.cueChars + 1)}`));
      expect(long.transcripts[0]?.text).toHaveLength(CAPTION_LIMITS.cueChars);
      expect(long.problems).toEqual([{ line: 3, rule: 'text cut to 10000 characters' }]);
      const named = parse(vtt(`00:01.000 --> 00:02.000\n<v ${'N'.repeat(CAPTION_LIMITS.nameChars + 1)}>hi`));
      expect(named.transcripts[0]).not.toHaveProperty('speaker');
      expect(named.problems).toEqual([{ line: 3, rule: 'speaker name over 200 characters' }]);
    });

    it('lists at most a bounded number of problems and counts the rest', () => {
      const { problems } = parse(`WEBVTT\n\n${'--> x\n\n'.repeat(CAPTION_LIMITS.problems + 3)}`);
      expect(problems).toHaveLength(CAPTION_LIMITS.problems + 1);
      expect(problems.at(-1)).toEqual({ line: 0, rule: '3 further problems not listed' });
    });
  });

  describe('what is refused', () => {
    it.each([
      ['nothing', '', undefined, 'FILE_EMPTY'],
      ['blanks', '\uFEFF \r\n', undefined, 'FILE_EMPTY'],
      ['prose', 'Dear diary, secret words.', undefined, 'BAD_CAPTIONS'],
      ['a NUL byte', 'WEBVTT\n\u0000', undefined, 'BAD_CAPTIONS'],
      ['prose called WebVTT', 'secret words', 'vtt', 'BAD_CAPTIONS'],
      ['a longer first word', 'WEBVTTsecret', 'vtt', 'BAD_CAPTIONS'],
      ['prose called SRT', 'secret words', 'srt', 'BAD_CAPTIONS'],
      ['prose called JSON', 'secret words', 'json', 'BAD_CAPTIONS'],
      ['cut-off JSON', '{"captions":[{"text":"secret words', undefined, 'BAD_CAPTIONS'],
      ['other JSON', '{"secret":[]}', undefined, 'BAD_CAPTIONS'],
      ['a JSON array', '["secret"]', undefined, 'BAD_CAPTIONS'],
      ['deeply nested JSON', '['.repeat(200_000), undefined, 'BAD_CAPTIONS'],
      ['too many lines', 'WEBVTT' + '\n'.repeat(CAPTION_LIMITS.lines + 1), undefined, 'LIMIT_EXCEEDED'],
      ['too many cues', `{"captions":[${'0,'.repeat(CAPTION_LIMITS.cues)}0]}`, undefined, 'LIMIT_EXCEEDED'],
      [
        'too many WebVTT cues',
        vtt('00:01.000 --> 00:02.000\na\n'.repeat(CAPTION_LIMITS.cues + 1)),
        'vtt',
        'LIMIT_EXCEEDED',
      ],
    ] as const)('refuses %s with its code and without a word of it', (_what, text, format, code) => {
      const error = errorOf(() => parse(text, format));
      expect(error.code).toBe(code);
      expect(error.message).not.toMatch(/secret|diary/);
    });

    it('refuses a file over the limit of bytes', () => {
      expect(errorOf(() => parse(new Uint8Array(CAPTION_LIMITS.fileBytes + 1))).code).toBe('LIMIT_EXCEEDED');
    });
  });

  describe('any bytes', () => {
    const format = fc.constantFrom(undefined, ...CAPTION_FORMATS);
    const check = (bytes: Uint8Array, asked: CaptionFormat | undefined): void => {
      const error = errorOf(() => {
        let arrivalMs = 0;
        for (const cue of parse(bytes, asked).transcripts) {
          expect(cue.endMs).toBeGreaterThan(cue.startMs);
          expect(cue.arrivalMs).toBeGreaterThanOrEqual(arrivalMs);
          expect(cue.text).toMatch(/^\S(?:.*\S)?$/su);
          arrivalMs = cue.arrivalMs;
        }
      });
      expect(error.code, error.message).not.toBe('not ours');
    };

    it('never throws anything but an UndertoneError, and returns sound transcripts', () => {
      fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), format, check), { numRuns: 300 });
    });

    it('does so for files that look like captions', () => {
      const piece = fc.oneof(
        fc.constantFrom(
          '\n',
          '\n\n',
          '\r',
          ' --> ',
          '00:01.000',
          '00:02.000',
          '1:00:00,5',
          '<v Ada>',
          '</v>',
          '<v',
          '&lt;',
        ),
        fc.constantFrom(
          'Ada: ',
          'NOTE',
          'STYLE',
          '{"captions":[',
          '{"startMs":1,"endMs":2,"text":"a"}',
          ']}',
          ',',
          '-',
          '>',
        ),
        fc.string({ unit: 'binary', maxLength: 8 }),
        fc.tuple(fc.nat(99), fc.nat(99), fc.string()).map(([a, b, text]) => `\n\n00:${a}.0 --> 00:${b}.0\n${text}\n`),
      );
      const file = fc
        .tuple(
          fc.constantFrom('WEBVTT\n\n', '1\n00:00:01,000 --> 00:00:02,000\n', '{"captions":[', ''),
          fc.array(piece),
        )
        .map(([head, pieces]) => encode(head + pieces.join('')));
      fc.assert(fc.property(file, format, check), { numRuns: 500 });
    });

    it('keeps every word, once and in order, of a well-formed file in each format', () => {
      const word = fc.stringMatching(/^[a-z]{1,8}$/);
      const cues = fc.array(fc.tuple(fc.constantFrom('Ada', 'Ben'), fc.array(word, { minLength: 1, maxLength: 6 })), {
        minLength: 1,
        maxLength: 20,
      });
      fc.assert(
        fc.property(cues, (said) => {
          const clock = (index: number): string => `00:${String(index).padStart(2, '0')}:00`;
          const files = [
            vtt(
              ...said.map(
                ([name, words], i) => `${clock(i)}.000 --> ${clock(i + 1)}.000\n<v ${name}>${words.join(' ')}`,
              ),
            ),
            srt(
              ...said.map(([name, words], i) => `${clock(i)},000 --> ${clock(i + 1)},000\n${name}: ${words.join(' ')}`),
            ),
            JSON.stringify({
              captions: said.map(([speaker, words], i) => ({
                speaker,
                startMs: i * 60_000,
                endMs: (i + 1) * 60_000,
                text: words.join(' '),
              })),
            }),
          ];
          for (const file of files) {
            const { transcripts, problems } = parse(file);
            expect(transcripts.map((cue) => [cue.speaker?.name, cue.text])).toEqual(
              said.map(([name, words]) => [name, words.join(' ')]),
            );
            expect(problems).toEqual([]);
          }
        }),
        { numRuns: 100 },
      );
    });

    it('reads hostile markup in time proportional to its length', () => {
      const size = 300_000;
      for (const text of [
        '<v '.repeat(size / 3),
        `<v ${' '.repeat(size)}`,
        '<'.repeat(size),
        '&#'.repeat(size / 2),
        '{\\'.repeat(size / 2),
      ]) {
        expect(parse(vtt(`00:01.000 --> 00:02.000\n${text}`)).transcripts.length).toBeLessThanOrEqual(1);
      }
      expect(parse(vtt(`00:01.000 --> 00:02.000\n${'<v A>x<v B>y'.repeat(800)}`)).transcripts.length).toBeGreaterThan(
        1500,
      );
    }, 3_000);
  });
});
