import { z } from 'zod';
import { UndertoneError } from '../../../src/errors.ts';
import type { Cue, ProblemList } from './cue.ts';
import { CAPTION_LIMITS } from './cue.ts';

/** Latest time a caption may carry: 10,000 hours, as in WebVTT and SRT. */
const MAX_MS = 36_000_000_000;
const time = z.number().min(0).max(MAX_MS);

const captionSchema = z.object({
  speaker: z.string().optional(),
  startMs: time,
  endMs: time,
  text: z.string(),
  arrivalMs: time.optional(),
  language: z
    .string()
    .regex(/^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}$/)
    .optional(),
});

/** The fields a problem may name; a key of the file's own making is not repeated. */
const FIELDS: ReadonlySet<PropertyKey> = new Set(Object.keys(captionSchema.shape));

/** Returns whether a text begins like JSON. */
export function isJson(text: string): boolean {
  return /^\s*[{[]/.test(text);
}

/**
 * Returns the cues of JSON captions: `{ "captions": [{ "speaker"?, "startMs", "endMs", "text", "arrivalMs"?,
 * "language"? }] }`, times in ms. A caption that breaks the schema is a problem, `line` being its number from 1.
 * @throws UndertoneError BAD_CAPTIONS when the text is not JSON or has no array `captions`,
 * LIMIT_EXCEEDED past the limit of cues.
 */
export function parseJsonCaptions(text: string, problems: ProblemList): readonly Cue[] {
  const cues: Cue[] = [];
  for (const [index, entry] of toEntries(text).entries()) {
    const parsed = captionSchema.safeParse(entry);
    if (!parsed.success) {
      const field = parsed.error.issues[0]?.path[0];
      problems.add(
        index + 1,
        field !== undefined && FIELDS.has(field) ? `${String(field)} breaks the schema` : 'not an object',
      );
      continue;
    }
    const { speaker, text: said, startMs, endMs, arrivalMs, language } = parsed.data;
    cues.push({
      line: index + 1,
      startMs,
      endMs,
      ...(arrivalMs === undefined ? {} : { arrivalMs }),
      ...(language === undefined ? {} : { language }),
      spans: [speaker === undefined ? { text: said } : { name: speaker, text: said }],
    });
  }
  return cues;
}

/** The parser's own message quotes the text it failed at, so it is not passed on. */
function toEntries(text: string): readonly unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UndertoneError('BAD_CAPTIONS', 'captions: not valid JSON');
  }
  const file = z.object({ captions: z.array(z.unknown()) }).safeParse(value);
  if (!file.success) throw new UndertoneError('BAD_CAPTIONS', 'captions: the JSON has no array "captions"');
  const { captions } = file.data;
  if (captions.length > CAPTION_LIMITS.cues) {
    throw new UndertoneError('LIMIT_EXCEEDED', `captions: ${captions.length} cues, at most ${CAPTION_LIMITS.cues}`);
  }
  return captions;
}
