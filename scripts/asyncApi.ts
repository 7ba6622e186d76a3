// Writes docs/asyncapi.json: the live protocol as AsyncAPI 3, made from the schemas that the server checks messages with.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { ERROR_CODES } from '../src/errors.ts';
import { insightJsonSchemas, PROTOCOL_VERSION } from '../src/protocol/insight.ts';
import type { MessageSchemas } from '../src/protocol/jsonSchema.ts';
import { SUBPROTOCOL, TOKEN_SUBPROTOCOL } from '../src/protocol/live.ts';
import { liveJsonSchemas } from '../src/protocol/liveSchema.ts';
import { MAX_MEDIA_MS, MEDIA_HEADER_BYTES } from '../src/protocol/mediaFrame.ts';
import { serverJsonSchemas } from '../src/protocol/serverSchema.ts';

/** Where the document is kept. */
export const ASYNC_API_PATH: string = fileURLToPath(new URL('../docs/asyncapi.json', import.meta.url));

type Json = Readonly<Record<string, unknown>>;
/** A direction of a channel: who speaks, and all that they may say. */
type Direction = {
  readonly name: string;
  readonly channel: 'stream' | 'feed';
  /** As AsyncAPI counts it, from where the server stands. */
  readonly action: 'receive' | 'send';
  readonly summary: string;
  readonly messages: Readonly<Record<string, Json>>;
};

const CHANNELS = {
  stream: {
    address: '/v1/stream',
    summary: 'Producers send media, words and consent, and are told how far they were heard.',
  },
  feed: { address: '/v1/feed', summary: 'Consumers receive the insights of a session, and what they missed.' },
} as const;

/** Close codes that are not those of an error code. */
const OTHER_CLOSE_CODES: Readonly<Record<string, string>> = {
  1000: 'As agreed: after bye, or after ended.',
  1002: 'Broke a rule of WebSockets (RFC 6455): a frame that is not masked, is compressed, or has a wrong opcode or length.',
  1007: 'Text that is not UTF-8.',
  1008: 'A message in too many fragments.',
};

const MEDIA_FRAME: Json = {
  name: 'mediaFrame',
  contentType: 'application/octet-stream',
  summary: 'A binary message: a piece of one stream.',
  description: [
    `A header of ${MEDIA_HEADER_BYTES} bytes, little-endian: version 1 (u8), flags 0 (u8), the stream's number (u16), sequence (u32),`,
    `media time in ms, below ${MAX_MEDIA_MS} (f64). Then the payload, at least one byte: PCM16 or µ-law samples or one Opus packet (audio),`,
    'a JPEG picture (video), a row of 52 or 28 float32 (face, body).',
  ].join(' '),
  payload: { type: 'string', format: 'binary' },
};

/** Returns the live protocol as an AsyncAPI 3 document. */
export function asyncApiDocument(): Json {
  const directions = listDirections();
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Undertone live',
      version: String(PROTOCOL_VERSION),
      description: `Conversations analyzed while they happen; docs/live.md explains it. Both sides name the WebSocket subprotocol ${SUBPROTOCOL}. A key or token goes in the header Authorization, or in a second subprotocol that begins with ${TOKEN_SUBPROTOCOL}.`,
    },
    defaultContentType: 'application/json',
    servers: {
      local: { host: '127.0.0.1:8787', protocol: 'ws', security: [{ $ref: '#/components/securitySchemes/bearer' }] },
    },
    channels: Object.fromEntries(
      Object.entries(CHANNELS).map(([name, channel]) => [
        name,
        { ...channel, messages: refsOf(directions.filter((one) => one.channel === name)), bindings: { ws: {} } },
      ]),
    ),
    operations: Object.fromEntries(directions.map((direction) => [direction.name, operationOf(direction)])),
    components: {
      messages: Object.fromEntries(directions.flatMap(({ name, messages }) => prefixed(name, messages))),
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
    'x-error-codes': ERROR_CODES,
    'x-close-codes': closeCodes(),
  };
}

function listDirections(): readonly Direction[] {
  const [said, answered] = [liveJsonSchemas(), serverJsonSchemas()];
  const insights = insightJsonSchemas();
  return [
    {
      name: 'producer',
      channel: 'stream',
      action: 'receive',
      summary: 'What a producer says.',
      messages: { ...toMessages(said.producer), mediaFrame: MEDIA_FRAME },
    },
    {
      name: 'toProducer',
      channel: 'stream',
      action: 'send',
      summary: 'What a producer is told.',
      messages: toMessages(answered.producer),
    },
    {
      name: 'consumer',
      channel: 'feed',
      action: 'receive',
      summary: 'What a consumer says.',
      messages: toMessages(said.consumer),
    },
    {
      name: 'toConsumer',
      channel: 'feed',
      action: 'send',
      summary: 'What a consumer is told: insights, which have a seq, and messages between them.',
      messages: { ...toMessages(answered.consumer), ...toMessages(insights) },
    },
  ];
}

function toMessages(schemas: MessageSchemas): Readonly<Record<string, Json>> {
  return Object.fromEntries(Object.entries(schemas).map(([type, payload]) => [type, { name: type, payload }]));
}

/** `toProducer` and `welcome` are `toProducer.welcome`: both sides know messages of one name. */
function prefixed(prefix: string, messages: Readonly<Record<string, Json>>): readonly (readonly [string, Json])[] {
  return Object.entries(messages).map(([type, message]) => [`${prefix}.${type}`, message]);
}

function refsOf(directions: readonly Direction[]): Json {
  const names = directions.flatMap(({ name, messages }) => prefixed(name, messages).map(([key]) => key));
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }]));
}

function operationOf({ name, channel, action, summary, messages }: Direction): Json {
  return {
    action,
    summary,
    channel: { $ref: `#/channels/${channel}` },
    messages: prefixed(name, messages).map(([key]) => ({ $ref: `#/channels/${channel}/messages/${key}` })),
  };
}

function closeCodes(): Json {
  const codes: Record<string, string> = { ...OTHER_CLOSE_CODES };
  for (const [code, { closeCode }] of Object.entries(ERROR_CODES))
    codes[closeCode] = codes[closeCode] === undefined ? code : `${codes[closeCode]}, ${code}`;
  return codes;
}

/** Returns the document as it is kept. */
export async function asyncApiText(): Promise<string> {
  return format(JSON.stringify(asyncApiDocument()), { parser: 'json', printWidth: 120 });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(ASYNC_API_PATH, await asyncApiText());
