import type { Insight } from '../domain/insight.ts';
import { ERROR_CODES, UndertoneError, type ErrorCode } from '../errors.ts';
import type {
  ConsumerServerMessage,
  ConsumerWelcome,
  EndReason,
  ErrorMessage,
  ProducerServerMessage,
  ProducerWelcome,
} from '../protocol/live.ts';

/** The longest message that is read, in UTF-16 code units, as in docs/protocol.md. */
export const MAX_MESSAGE_CHARS: number = 16 * 1024 * 1024;

/** What the server says, as far as this version knows it. */
export type ServerMessage = ProducerServerMessage | ConsumerServerMessage | Insight;

type Fields = Readonly<Record<string, unknown>>;
type Check = (message: Fields) => boolean;

const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isPositive = (value: unknown): boolean => Number.isFinite(value) && (value as number) > 0;
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isListOf = (value: unknown, check: Check): boolean =>
  Array.isArray(value) && value.every((one) => isFields(one) && check(one));

const isPosition: Check = ({ streamId, nextSequence }) => isText(streamId) && isCount(nextSequence);
const isPolicy: Check = ({ participant, modalities }) => isText(participant) && Array.isArray(modalities);
const isStamped: Check = ({ seq, atMs }) => isCount(seq) && Number.isFinite(atMs);
const isSpan: Check = ({ startMs, endMs }) => Number.isFinite(startMs) && Number.isFinite(endMs);

/** What of each message is used here, or read by everybody; the rest is as the server says. */
const CHECKS: Readonly<Record<ServerMessage['type'], Check>> = {
  // One that is broken must not be passed over like a message that nobody waits for: see isWelcome.
  welcome: () => true,
  error: ({ code, message, retryable, isFatal }) =>
    isText(code) && isText(message) && typeof retryable === 'boolean' && typeof isFatal === 'boolean',
  pong: ({ id, clockMs }) => isCount(id) && Number.isFinite(clockMs),
  goaway: ({ leftMs, reason }) => Number.isFinite(leftMs) && isText(reason),
  ended: ({ reason }) => isText(reason),
  ack: ({ streams }) => isListOf(streams, isPosition),
  policy: ({ participants }) => isListOf(participants, isPolicy),
  missed: ({ fromSeq, toSeq, reason }) => isCount(fromSeq) && isCount(toSeq) && isText(reason),
  session: (insight) => isStamped(insight) && Array.isArray(insight['labels']),
  interim: (insight) => isStamped(insight) && isSpan(insight) && isText(insight['text']),
  utterance: (insight) =>
    isStamped(insight) &&
    isSpan(insight) &&
    [insight['utteranceId'], insight['status'], insight['label']].every(isText) &&
    [insight['speaker'], insight['probabilities'], insight['availability']].every(isFields),
  modality: (insight) => isStamped(insight) && isText(insight['modality']) && isText(insight['state']),
  speaker: (insight) => isStamped(insight) && isText(insight['speakerId']) && isFields(insight['speaker']),
  gap: (insight) => isStamped(insight) && isSpan(insight) && isText(insight['streamId']),
  fault: (insight) => isStamped(insight) && isText(insight['code']) && isText(insight['message']),
  summary: (insight) => isStamped(insight) && Array.isArray(insight['speakers']),
};

/**
 * Returns what the server says, or nothing when it is not JSON, too long, of a type this version does not know, or
 * lacks what is used of it. Never throws.
 */
export function decodeServerMessage(text: unknown): ServerMessage | undefined {
  if (!isText(text) || text.length > MAX_MESSAGE_CHARS) return undefined;
  const value = parseJson(text);
  if (!isFields(value) || !isText(value['type']) || !Object.hasOwn(CHECKS, value['type'])) return undefined;
  const type = value['type'] as ServerMessage['type'];
  return CHECKS[type](value) ? (value as ServerMessage) : undefined;
}

/** Is it an insight, and not a message about the connection? */
export function isInsight(message: ServerMessage): message is Insight {
  return 'seq' in message;
}

/** Does a welcome have what every connection needs? */
export function isWelcome(welcome: ProducerWelcome | ConsumerWelcome): boolean {
  const { v, session, epoch, heartbeatMs }: Fields = welcome;
  return v === 1 && isText(session) && isCount(epoch) && isPositive(heartbeatMs);
}

/** Does a welcome have what a producer needs beside what all have? */
export function isProducerWelcome(welcome: ProducerWelcome | ConsumerWelcome): welcome is ProducerWelcome {
  const fields: Fields = welcome;
  const { limits } = fields;
  return (
    typeof fields['isResumed'] === 'boolean' &&
    isText(fields['resumeToken']) &&
    isPositive(fields['ringMs']) &&
    isListOf(fields['streams'], isPosition) &&
    isListOf(fields['participants'], isPolicy) &&
    isFields(limits) &&
    ['maxMessageBytes', 'maxFrameBytes', 'maxMessagesPerSecond', 'maxBytesPerSecond'].every((key) =>
      isPositive(limits[key]),
    )
  );
}

/** Does a welcome have what a consumer needs beside what all have? */
export function isConsumerWelcome(welcome: ProducerWelcome | ConsumerWelcome): welcome is ConsumerWelcome {
  return 'nextSeq' in welcome && isCount(welcome.nextSeq);
}

/** Returns an error of the server as an error; a code that this version does not know becomes `INTERNAL`. */
export function toError({ code, message }: ErrorMessage): UndertoneError {
  return new UndertoneError(Object.hasOwn(ERROR_CODES, code) ? code : 'INTERNAL', message);
}

/** How a connection ended: with an error message, with `ended`, or with nothing but the close code. */
export type Ending = { readonly closeCode: number; readonly error?: ErrorMessage; readonly reason?: EndReason };

/** Close codes of RFC 6455 after which the same would happen again. */
const FINAL_CODES: readonly number[] = [1002, 1003, 1007, 1008, 1010];

/** May one come back after this? Where the server said nothing, the table of errors decides by the close code. */
export function isRetryable({ closeCode, error, reason }: Ending): boolean {
  if (reason) return false;
  if (error) return error.retryable;
  const entries = codesOf(closeCode);
  if (entries.length > 0) return entries.every((code) => ERROR_CODES[code].retryable);
  return closeCode < 4_000 && !FINAL_CODES.includes(closeCode);
}

/** Returns the error of an ending that is final, if it is one. */
export function toFinalError({ closeCode, error, reason }: Ending): UndertoneError | undefined {
  if (error) return toError(error);
  if (reason) return reason === 'failed' ? new UndertoneError('INTERNAL', 'the session failed') : undefined;
  const code = codesOf(closeCode).find((one) => !ERROR_CODES[one].retryable) ?? 'INTERNAL';
  return new UndertoneError(code, `the connection was closed with ${closeCode}`);
}

/** Codes that only files and commands have share numbers with those of the wire; the wire's are named first. */
const WIRE_FIRST: readonly ErrorCode[] = ['BAD_MESSAGE', 'SESSION_NOT_FOUND', 'UNSUPPORTED_FORMAT', 'RESUME_FAILED'];

function codesOf(closeCode: number): readonly ErrorCode[] {
  const codes = [...WIRE_FIRST, ...(Object.keys(ERROR_CODES) as ErrorCode[])];
  return codes.filter((code) => ERROR_CODES[code].closeCode === closeCode);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
