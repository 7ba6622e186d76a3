import { z } from 'zod';
import { MODALITIES } from '../domain/modality.ts';
import { SPEAKER_SOURCES } from '../domain/speaker.ts';
import { ERROR_CODES, type ErrorCode } from '../errors.ts';
import { type MessageSchemas, toJsonSchemas } from './jsonSchema.ts';
import { type ConsumerServerMessage, END_REASONS, type ProducerServerMessage } from './live.ts';

const text = z.string().min(1);
const count = z.int().min(0);
const positive = z.int().min(1);
const ms = z.number().min(0);

const position = z.object({ streamId: text, nextSequence: count, mediaMs: ms });
const modality = z.enum(MODALITIES);
const policy = z.object({
  participant: text,
  speaker: z.object({ id: text, name: text, source: z.enum(SPEAKER_SOURCES) }),
  modalities: z.array(modality).readonly(),
  refused: z.array(z.object({ modality, reason: z.enum(['consent', 'privacy']) })).readonly(),
  isHeardForWords: z.literal(true).exactOptional(),
});
const limits = z.object({
  maxMessageBytes: positive,
  maxFrameBytes: positive,
  maxStreams: positive,
  maxParticipants: positive,
  maxMessagesPerSecond: positive,
  maxBytesPerSecond: positive,
  maxSessionMs: positive,
});
const welcome = {
  type: z.literal('welcome'),
  v: z.literal(1),
  session: text,
  epoch: count,
  heartbeatMs: positive,
  vision: z
    .array(z.enum(['face', 'body']))
    .readonly()
    .exactOptional(),
};
const streams = z.array(position).readonly();
const participants = z.array(policy).readonly();

const common = [
  z.object({
    type: z.literal('error'),
    code: z.enum(Object.keys(ERROR_CODES) as ErrorCode[]),
    message: text,
    retryable: z.boolean(),
    isFatal: z.boolean(),
    streamId: text.exactOptional(),
  }),
  z.object({ type: z.literal('pong'), id: count, clockMs: ms }),
  z.object({ type: z.literal('goaway'), leftMs: ms, reason: z.enum(['shutdown', 'length']) }),
  z.object({ type: z.literal('ended'), reason: z.enum(END_REASONS) }),
] as const;

const toProducer = z.discriminatedUnion('type', [
  z.object({
    ...welcome,
    isResumed: z.boolean(),
    resumeToken: text,
    resumeWithinMs: count,
    ringMs: count,
    clockMs: ms,
    streams,
    participants,
    limits,
  }),
  ...common,
  z.object({ type: z.literal('ack'), streams }),
  z.object({ type: z.literal('policy'), participants }),
]);
const toConsumer = z.discriminatedUnion('type', [
  z.object({ ...welcome, nextSeq: positive }),
  ...common,
  z.object({ type: z.literal('missed'), fromSeq: positive, toSeq: positive, reason: z.enum(['backlog', 'coalesced']) }),
]);

/** What the server says to producers, as a rule to check against. The server itself need not: its types hold it to them. */
export const producerServerMessage: z.ZodType<ProducerServerMessage> = toProducer;
/** What the server says to consumers between the insights. */
export const consumerServerMessage: z.ZodType<ConsumerServerMessage> = toConsumer;

/** JSON Schemas of what the server tells each side, by `type`; insights are apart. */
export function serverJsonSchemas(): { readonly producer: MessageSchemas; readonly consumer: MessageSchemas } {
  return { producer: toJsonSchemas(toProducer), consumer: toJsonSchemas(toConsumer) };
}
