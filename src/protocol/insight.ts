import { z } from 'zod';
import { UTTERANCE_STATUSES, type Insight } from '../domain/insight.ts';
import { MISSING_REASONS, MODALITIES } from '../domain/modality.ts';
import { SPEAKER_SOURCES } from '../domain/speaker.ts';
import { brokenRuleOf } from './brokenRule.ts';
import { type MessageSchemas, toJsonSchemas } from './jsonSchema.ts';
import { roundInsight } from './rounding.ts';

/** The version of the wire protocol, `v` of every message. docs/protocol.md says what may change without a new one. */
export const PROTOCOL_VERSION = 1;

/** The longest line, in UTF-16 code units, that {@link decodeInsight} reads. */
export const MAX_LINE_CHARS: number = 16 * 1024 * 1024;

/** What a line decodes to: an insight, or the rule the line breaks, named without any of its content. */
export type DecodedInsight =
  { readonly ok: true; readonly insight: Insight } | { readonly ok: false; readonly rule: string };

/**
 * Returns the wire form of an insight: one JSON object on one line without line end, `v` first, rounded as
 * {@link roundInsight} does. Whatever is encoded can be decoded again.
 * @throws RangeError when the insight breaks a rule of the protocol; the message holds none of its content.
 */
export function encodeInsight(insight: Insight): string {
  const rounded: z.input<typeof insightSchema> = roundInsight(insight);
  const checked = insightSchema.safeParse(rounded);
  if (!checked.success)
    throw new RangeError(`insight breaks a rule of the protocol: ${brokenRuleOf(checked.error, OPEN_KEYS)}`);
  return JSON.stringify({ v: PROTOCOL_VERSION, ...rounded });
}

/**
 * Returns the insight of a line (or of an already parsed JSON value), without `v` and without fields this version does
 * not know. Never throws on JSON: a message of another version or type, or one that breaks a rule, gives `ok: false`.
 */
export function decodeInsight(line: unknown): DecodedInsight {
  if (typeof line === 'string' && line.length > MAX_LINE_CHARS) return broken('a line is too long');
  const value = typeof line === 'string' ? parseJson(line) : line;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return broken('a line holds one JSON object');
  const version = versionSchema.safeParse(value);
  if (!version.success) return broken('v: a protocol version is a whole number');
  if (version.data.v !== PROTOCOL_VERSION) return broken(`v: only version ${PROTOCOL_VERSION} is understood`);
  const parsed = insightSchema.safeParse(value);
  return parsed.success ? { ok: true, insight: parsed.data } : broken(brokenRuleOf(parsed.error, OPEN_KEYS));
}

/** JSON Schemas of the insights as lines, by `type`, `v` included. */
export function insightJsonSchemas(): MessageSchemas {
  const { options } = insightSchema;
  return toJsonSchemas({ options: options.map((insight) => insight.safeExtend({ v: z.literal(PROTOCOL_VERSION) })) });
}

const ratio = z.number().min(0).max(1);
const count = z.int().min(0);
const ms = count;
const id = z.string().min(1);
const stamp = { seq: z.int().min(1), atMs: ms };
const perModalityOf = <T extends z.ZodType>(value: T) =>
  z.object({ text: value, audio: value, face: value, body: value });

const SUM_TOLERANCE = 1e-6;
const sumOf = (shares: Readonly<Record<string, number>>): number => Object.values(shares).reduce((a, b) => a + b, 0);
const isWhole = (shares: Readonly<Record<string, number>>): boolean => Math.abs(sumOf(shares) - 1) <= SUM_TOLERANCE;
const isWholeOrEmpty = (shares: Readonly<Record<string, number>>): boolean => sumOf(shares) === 0 || isWhole(shares);

const isOrdered = ({ startMs, endMs }: { readonly startMs: number; readonly endMs: number }): boolean =>
  endMs >= startMs;
const ORDERED = { path: ['endMs'], params: { rule: 'not_before_startMs' } };

const speakerSchema = z.object({ id, name: z.string(), source: z.enum(SPEAKER_SOURCES) });
const availabilitySchema = z.object({ share: ratio, reason: z.enum(MISSING_REASONS).exactOptional() });
const versionSchema = z.object({ v: z.int() });

const sessionSchema = z.object({
  type: z.literal('session'),
  ...stamp,
  labels: z.array(id).min(1).readonly(),
  privacy: z.string(),
  weights: z.string(),
  backend: z.string(),
  lookAhead: count,
  vision: z
    .array(z.enum(['face', 'body']))
    .readonly()
    .exactOptional(),
});

const utteranceSchema = z
  .object({
    type: z.literal('utterance'),
    ...stamp,
    utteranceId: id,
    status: z.enum(UTTERANCE_STATUSES),
    revision: count,
    speaker: speakerSchema,
    startMs: ms,
    endMs: ms,
    text: z.string().nullable(),
    label: id,
    confidence: ratio,
    probabilities: z.record(z.string(), ratio).refine(isWhole, { params: { rule: 'sums_to_1' } }),
    modalityWeights: perModalityOf(ratio).refine(isWholeOrEmpty, { params: { rule: 'sums_to_1_or_all_0' } }),
    availability: perModalityOf(availabilitySchema),
    lookAhead: count,
    latencyMs: z.int(),
    computeMs: ms,
  })
  .refine(isOrdered, ORDERED)
  .refine(({ label, probabilities }) => Object.hasOwn(probabilities, label), {
    path: ['label'],
    params: { rule: 'has_a_probability' },
  });

const modalitySchema = z.object({
  type: z.literal('modality'),
  ...stamp,
  modality: z.enum(MODALITIES),
  speaker: speakerSchema.exactOptional(),
  state: z.enum(['present', 'absent']),
  reason: z.enum(MISSING_REASONS).exactOptional(),
});

const interimSchema = z
  .object({
    type: z.literal('interim'),
    ...stamp,
    streamId: id,
    speaker: speakerSchema.exactOptional(),
    startMs: ms,
    endMs: ms,
    text: z.string(),
  })
  .refine(isOrdered, ORDERED);

const renamedSchema = z.object({ type: z.literal('speaker'), ...stamp, speakerId: id, speaker: speakerSchema });

const gapSchema = z
  .object({
    type: z.literal('gap'),
    ...stamp,
    streamId: id,
    startMs: ms,
    endMs: ms,
    reason: z.enum(MISSING_REASONS),
  })
  .refine(isOrdered, ORDERED);

const faultSchema = z.object({
  type: z.literal('fault'),
  ...stamp,
  code: id,
  message: z.string(),
  streamId: z.string().exactOptional(),
});

const speakerSummarySchema = z.object({
  speaker: speakerSchema,
  talkMs: ms,
  utterances: count,
  emotionShares: z.record(z.string(), ratio).refine(isWholeOrEmpty, { params: { rule: 'sums_to_1_or_all_0' } }),
  trajectory: z
    .array(z.object({ startMs: ms, label: id, confidence: ratio }))
    .max(2_000)
    .readonly(),
  availability: perModalityOf(ratio),
});

const summarySchema = z.object({
  type: z.literal('summary'),
  ...stamp,
  durationMs: ms,
  utterances: count,
  speakers: z.array(speakerSummarySchema).readonly(),
  droppedWords: count,
  faults: count,
});

const insightSchema = z.discriminatedUnion('type', [
  sessionSchema,
  interimSchema,
  utteranceSchema,
  modalitySchema,
  renamedSchema,
  gapSchema,
  faultSchema,
  summarySchema,
]);

/** Keys below these are labels or hostile input, not names of ours, and stay out of a rule. */
const OPEN_KEYS: ReadonlySet<PropertyKey> = new Set(['probabilities', 'emotionShares']);

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function broken(rule: string): DecodedInsight {
  return { ok: false, rule };
}
