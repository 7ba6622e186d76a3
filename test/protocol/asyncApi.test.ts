import specs from '@asyncapi/specs';
import { Ajv, type AnySchema } from 'ajv';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ASYNC_API_PATH, asyncApiDocument, asyncApiText } from '../../scripts/asyncApi.ts';
import { ERROR_CODES } from '../../src/errors.ts';
import { encodeInsight } from '../../src/protocol/insight.ts';
import { sampleSession } from '../support/sampleInsights.ts';

/** The schema of AsyncAPI documents, as the AsyncAPI initiative publishes it. */
const schema = specs.schemasWithoutId['3.0.0'] as AnySchema;
const ajv = new Ajv({ strict: false, validateFormats: false });
const validate = ajv.compile(schema);
const problemsOf = (document: unknown): unknown => (validate(document) ? [] : validate.errors);

type Document = {
  channels: Record<string, { address: string; messages: Record<string, { $ref: string }> }>;
  operations: Record<string, { messages: { $ref: string }[] }>;
  components: { messages: Record<string, { payload: AnySchema }> };
};
const document = asyncApiDocument() as Document;
const accepts = (message: string, value: unknown): unknown => {
  const payload = document.components.messages[message]?.payload;
  if (payload === undefined) throw new Error(`no message ${message}`);
  return ajv.validate(payload, value);
};

describe('docs/asyncapi.json', () => {
  it('is what the schemas give (npm run build:asyncapi writes it)', async () => {
    expect(readFileSync(ASYNC_API_PATH, 'utf8')).toBe(await asyncApiText());
  });

  it('is an AsyncAPI 3 document by the official schema, which finds what is wrong', () => {
    expect(problemsOf(document)).toEqual([]);
    expect(problemsOf({ ...document, operations: { x: { action: 'shout' } } })).not.toEqual([]);
    expect(problemsOf({ ...document, channels: { x: { addresses: '/' } } })).not.toEqual([]);
  });

  it('has references that lead somewhere', () => {
    const at = (ref: string): unknown =>
      ref
        .slice(2)
        .split('/')
        .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document);
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref ?? '');
    expect(refs.length).toBeGreaterThan(50);
    for (const ref of refs) expect(at(ref), ref).toBeDefined();
  });

  it('has both channels, and every message of either side', () => {
    expect(Object.values(document.channels).map(({ address }) => address)).toEqual(['/v1/stream', '/v1/feed']);
    const names = Object.values(document.operations).map(({ messages }) =>
      messages.map(({ $ref }) => $ref.split('.').at(-1)).join(' '),
    );
    const common = 'error pong goaway ended';
    expect(names).toEqual([
      'hello join open close state format transcript sightless consent name speaker ping bye mediaFrame',
      `welcome ${common} ack policy`,
      'hello ping bye',
      `welcome ${common} missed session interim utterance modality speaker gap fault summary`,
    ]);
  });

  it('has every error code with its close code, and the close codes of WebSockets', () => {
    expect(document).toMatchObject({ 'x-error-codes': ERROR_CODES });
    const { 'x-close-codes': closeCodes } = asyncApiDocument() as { 'x-close-codes': Record<string, string> };
    for (const [code, { closeCode }] of Object.entries(ERROR_CODES)) expect(closeCodes[closeCode]).toContain(code);
    for (const code of [1000, 1002, 1007, 1008]) expect(closeCodes[code]).toBeDefined();
  });

  it('describes the messages as they are sent', () => {
    const hello = { type: 'hello', v: 1, participants: [{ id: 'ada', name: 'Ada' }], streams: [], more: 'is ignored' };
    expect(accepts('producer.hello', hello)).toBe(true);
    expect(accepts('producer.hello', { ...hello, v: 2 })).toBe(false);
    expect(accepts('producer.hello', { ...hello, participants: [{ id: 'a b', name: 'Ada' }] })).toBe(false);
    expect(accepts('toProducer.error', { type: 'error', code: 'NO_SUCH' })).toBe(false);
    for (const insight of sampleSession())
      expect(accepts(`toConsumer.${insight.type}`, JSON.parse(encodeInsight(insight))), insight.type).toBe(true);
  });
});
