import { z } from 'zod';
import { MODALITIES, SIGHTLESS_REASONS } from '../domain/modality.ts';
import { brokenRuleOf } from './brokenRule.ts';
import { type MessageSchemas, toJsonSchemas } from './jsonSchema.ts';
import { AUDIO_ENCODINGS, EXCEPTIONS, PURPOSES, STREAM_STATES } from './live.ts';
import type { ConsumerMessage, ProducerMessage } from './live.ts';
import { MAX_MEDIA_MS } from './mediaFrame.ts';

/** Longest text of one transcript message, in UTF-16 code units. */
export const MAX_TRANSCRIPT_CHARS = 10_000;
/** The most that one message may list of participants, streams or words. */
const MAX_LIST = 64;
const MAX_WORDS = 2_000;

const identifier = z.string().regex(/^[\p{L}\p{N}_.:~-]{1,64}$/u);
const name = z.string().min(1).max(200);
const mediaMs = z.number().min(0).lt(MAX_MEDIA_MS);
const sequence = z.int().min(0).max(0xffffffff);
const modalities = z.array(z.enum(MODALITIES)).max(MODALITIES.length).readonly();
const language = z.string().regex(/^[A-Za-z0-9-]{2,35}$/);
const counter = z.int().min(0);

const audioFormat = z.strictObject({
  encoding: z.enum(AUDIO_ENCODINGS),
  sampleRateHz: z.int().min(8_000).max(48_000),
  channels: z.union([z.literal(1), z.literal(2)]),
});
const participant = z.object({
  id: identifier,
  name,
  role: z.string().min(1).max(64).exactOptional(),
  consent: modalities.exactOptional(),
});
const declared = {
  streamId: identifier,
  number: z.int().min(0).max(0xffff),
  participant: identifier.exactOptional(),
};
const declaration = z.discriminatedUnion('kind', [
  z.object({ ...declared, kind: z.literal('audio'), format: audioFormat, language: language.exactOptional() }),
  z.object({ ...declared, kind: z.enum(['video', 'face', 'body']) }),
  z.object({ ...declared, kind: z.literal('captions'), language: language.exactOptional() }),
]);
const streams = z.array(declaration).max(MAX_LIST).readonly();
const version = { type: z.literal('hello'), v: z.literal(1) };
const ping = z.object({ type: z.literal('ping'), id: counter });
const bye = z.object({ type: z.literal('bye') });

const producerHello = z.object({
  ...version,
  session: identifier.exactOptional(),
  purpose: z.enum(PURPOSES).exactOptional(),
  exception: z.enum(EXCEPTIONS).exactOptional(),
  participants: z.array(participant).max(MAX_LIST).readonly(),
  streams,
  resume: z.object({ token: z.string().min(1).max(512), epoch: counter }).exactOptional(),
  client: z.string().max(200).exactOptional(),
});
const word = z.object({
  text: z.string().max(200),
  startMs: mediaMs,
  endMs: mediaMs,
  confidence: z.number().min(0).max(1).exactOptional(),
});
const transcript = z
  .object({
    type: z.literal('transcript'),
    streamId: identifier,
    sequence,
    isFinal: z.boolean(),
    startMs: mediaMs,
    endMs: mediaMs,
    text: z.string().max(MAX_TRANSCRIPT_CHARS),
    participant: identifier.exactOptional(),
    language: language.exactOptional(),
    words: z.array(word).max(MAX_WORDS).readonly().exactOptional(),
  })
  .refine(({ startMs, endMs }) => endMs >= startMs, { path: ['endMs'], params: { rule: 'not_before_startMs' } });

const producerMessage = z.discriminatedUnion('type', [
  producerHello,
  z.object({ type: z.literal('join'), participant }),
  z.object({ type: z.literal('open'), streams }),
  z.object({ type: z.literal('close'), streamId: identifier }),
  z.object({ type: z.literal('state'), streamId: identifier, state: z.enum(STREAM_STATES) }),
  z.object({ type: z.literal('format'), streamId: identifier, format: audioFormat }),
  transcript,
  z.object({
    type: z.literal('sightless'),
    streamId: identifier,
    sequence,
    atMs: mediaMs,
    reason: z.enum(SIGHTLESS_REASONS),
  }),
  z.object({ type: z.literal('consent'), participant: identifier, modalities }),
  z.object({ type: z.literal('name'), participant: identifier, name }),
  z.object({ type: z.literal('speaker'), speaker: identifier, participant: identifier }),
  ping,
  bye,
]);
const consumerMessage = z.discriminatedUnion('type', [
  z.object({
    ...version,
    session: identifier.exactOptional(),
    after: counter.exactOptional(),
    epoch: counter.exactOptional(),
  }),
  ping,
  bye,
]);

/** What a text message decodes to: a message, or the rule it breaks, named without any of its content. */
export type DecodedMessage<T> =
  { readonly ok: true; readonly message: T } | { readonly ok: false; readonly rule: string };

/** Returns what a producer said, without fields this version does not know. Never throws. */
export function decodeProducerMessage(text: string): DecodedMessage<ProducerMessage> {
  return decode<ProducerMessage>(producerMessage, text);
}

/** Returns what a consumer said, without fields this version does not know. Never throws. */
export function decodeConsumerMessage(text: string): DecodedMessage<ConsumerMessage> {
  return decode<ConsumerMessage>(consumerMessage, text);
}

/** JSON Schemas of what each side may send, by `type`, for documents and other languages. */
export function liveJsonSchemas(): { readonly producer: MessageSchemas; readonly consumer: MessageSchemas } {
  return { producer: toJsonSchemas(producerMessage), consumer: toJsonSchemas(consumerMessage) };
}

function decode<T>(schema: z.ZodType<T>, text: string): DecodedMessage<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, rule: 'message: not JSON' };
  }
  const parsed = schema.safeParse(value);
  return parsed.success ? { ok: true, message: parsed.data } : { ok: false, rule: brokenRuleOf(parsed.error) };
}
