import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CatalogueModel } from '../../../src/domain/modelCatalogue.ts';
import { downloadModel } from '../../../src/app/models/downloadModel.ts';
import { keepModel, readModel, verifyModel } from '../../../src/app/models/modelStore.ts';

const BYTES = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7) % 253);
const MODEL: CatalogueModel = {
  name: 'tiny',
  file: 'tiny.task',
  modality: 'face',
  sizeBytes: BYTES.length,
  sha256: createHash('sha256').update(BYTES).digest('hex'),
  licence: 'none',
  origin: { kind: 'download', url: 'http://localhost/' },
};

let folder: string;
const closing: (() => Promise<void>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'undertone-models-'));
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await rm(folder, { recursive: true });
});

/** A server on a local port that answers each request in turn; the last answer repeats. */
async function serve(...answers: ((request: IncomingMessage, response: ServerResponse) => void)[]): Promise<{
  url: string;
  ranges: (string | undefined)[];
}> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    answers[Math.min(ranges.length, answers.length - 1)]?.(request, response);
    ranges.push(request.headers.range);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, ranges };
}

const whole = (_request: IncomingMessage, response: ServerResponse): void => void response.end(BYTES);
const ranged = (request: IncomingMessage, response: ServerResponse): void => {
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  response.writeHead(206, { 'content-range': `bytes ${from}-${BYTES.length - 1}/${BYTES.length}` });
  response.end(BYTES.subarray(from));
};
/** An answer that stops after some bytes, and what cuts it off: to be called once some of them arrived. */
function cutAt(bytes: number): {
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  cut: () => void;
} {
  let held: ServerResponse | undefined;
  return {
    answer: (_request, response) => {
      held = response;
      response.writeHead(200, { 'content-length': BYTES.length });
      response.write(BYTES.subarray(0, bytes));
    },
    cut: () => held?.destroy(),
  };
}

describe('downloadModel', () => {
  it('brings the model, tells how far it is, and leaves nothing else', async () => {
    const { url } = await serve(whole);
    const told: number[] = [];
    await downloadModel(MODEL, { folder, url, onProgress: (done) => told.push(done) });
    expect(await verifyModel(MODEL, folder)).toEqual({ isThere: true });
    expect(await readdir(folder)).toEqual(['tiny.task']);
    expect(told.at(-1)).toBe(BYTES.length);
  });

  it('makes the folder that the file lies in', async () => {
    const { url } = await serve(whole);
    await downloadModel({ ...MODEL, file: 'speech/tiny.onnx' }, { folder, url });
    expect(await readdir(join(folder, 'speech'))).toEqual(['tiny.onnx']);
  });

  it('goes on where a connection was cut', async () => {
    const { answer, cut } = cutAt(65_536);
    const { url, ranges } = await serve(answer, ranged);
    await downloadModel(MODEL, { folder, url, onProgress: cut });
    expect(ranges[0]).toBeUndefined();
    expect(ranges[1]).toMatch(/^bytes=[1-9]\d*-$/);
    expect(await readModel(MODEL, folder)).toEqual(Buffer.from(BYTES));
  });

  it('goes on in a later run', async () => {
    const { answer, cut } = cutAt(65_536);
    const first = { folder, url: (await serve(answer)).url, tries: 1, onProgress: cut };
    await expect(downloadModel(MODEL, first)).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
    });
    const { url, ranges } = await serve(ranged);
    await downloadModel(MODEL, { folder, url });
    expect(ranges).toEqual([expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
  });

  it('begins again where the server knows no ranges', async () => {
    const { answer, cut } = cutAt(65_536);
    const { url } = await serve(answer, whole);
    await downloadModel(MODEL, { folder, url, onProgress: cut });
    expect(await verifyModel(MODEL, folder)).toEqual({ isThere: true });
  });

  it('gives up on a server that stalls, and keeps what came', async () => {
    const { url, ranges } = await serve((_request, response) => void response.write(BYTES.subarray(0, 1_000)));
    await expect(downloadModel(MODEL, { folder, url, stallMs: 100, tries: 2 })).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      retryable: true,
    });
    expect(ranges).toHaveLength(2);
    expect(await readdir(folder)).toEqual(['tiny.task.download']);
  });

  it('refuses other bytes of the same length, and does not keep them', async () => {
    const { url } = await serve((_request, response) => void response.end(BYTES.map((byte) => byte ^ 1)));
    await expect(downloadModel(MODEL, { folder, url })).rejects.toMatchObject({ code: 'BAD_MODEL' });
    expect(await readdir(folder)).toEqual([]);
  });

  it('stops reading when more comes than the model has', async () => {
    const { url } = await serve((_request, response) => void response.end(Buffer.concat([BYTES, BYTES])));
    await expect(downloadModel(MODEL, { folder, url })).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' });
    expect(await readdir(folder)).toEqual([]);
  });

  it('does not ask again after "not found", and asks again after an error of the server', async () => {
    const missing = await serve((_request, response) => void response.writeHead(404).end());
    await expect(downloadModel(MODEL, { folder, url: missing.url })).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' });
    expect(missing.ranges).toHaveLength(1);
    const busy = await serve((_request, response) => void response.writeHead(503).end(), whole);
    await downloadModel(MODEL, { folder, url: busy.url });
    expect(busy.ranges).toHaveLength(2);
  });
});

describe('modelStore', () => {
  it('refuses a model with one flipped byte, at reading, keeping and verifying', async () => {
    const flipped = BYTES.slice();
    flipped[100_000] = (flipped[100_000] ?? 0) ^ 1;
    await writeFile(join(folder, MODEL.file), flipped);
    await expect(readModel(MODEL, folder)).rejects.toMatchObject({ code: 'BAD_MODEL' });
    expect(await verifyModel(MODEL, folder)).toEqual({
      isThere: false,
      reason: 'has another sha256 than the catalogue',
    });
    await expect(keepModel(MODEL, folder, flipped)).rejects.toMatchObject({ code: 'BAD_MODEL' });
    expect(new Uint8Array(await readFile(join(folder, MODEL.file)))).toEqual(flipped);
  });

  it('says how to get a model that is not there, and builds one that can be built', async () => {
    await expect(readModel(MODEL, folder)).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: expect.stringContaining('undertone models pull tiny') as string,
    });
    const built: CatalogueModel = { ...MODEL, origin: { kind: 'build', from: 'x', build: async () => BYTES } };
    expect(await readModel(built, folder)).toEqual(BYTES);
  });
});
