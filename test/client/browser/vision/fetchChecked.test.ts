import { createHash } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fetchChecked } from '../../../../src/client/browser/vision/fetchChecked.ts';
import { WASM_FILE } from '../../../../src/client/browser/vision/wasmFile.ts';
import type { ModelFile } from '../../../../src/domain/modelCatalogue.ts';

const CONTENT = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) % 256);
const MODEL: ModelFile = {
  file: 'model.task',
  sizeBytes: CONTENT.length,
  sha256: createHash('sha256').update(CONTENT).digest('hex'),
};
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_request, response) => answer(response));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/model`;
}
const fetched = async (answer: (response: ServerResponse) => void): Promise<Uint8Array> =>
  fetchChecked(await serve(answer), MODEL, () => undefined);

describe('fetchChecked', () => {
  it('gives the bytes of the right file, and tells as they come', async () => {
    let pieces = 0;
    const url = await serve((response) => response.end(CONTENT));
    expect(await fetchChecked(url, MODEL, () => pieces++)).toEqual(CONTENT);
    expect(pieces).toBeGreaterThan(0);
  });

  it('refuses a file with one flipped byte, wherever it is', async () => {
    for (const at of [0, 150_000, CONTENT.length - 1]) {
      const flipped = Uint8Array.from(CONTENT, (byte, i) => (i === at ? byte ^ 1 : byte));
      await expect(fetched((response) => response.end(flipped))).rejects.toMatchObject({ code: 'BAD_MODEL' });
    }
  });

  it('refuses a file that is too short or none, and reads no more of one that is too long', async () => {
    await expect(fetched((response) => response.end(CONTENT.subarray(1)))).rejects.toMatchObject({ code: 'BAD_MODEL' });
    await expect(fetched((response) => response.end())).rejects.toMatchObject({ code: 'BAD_MODEL' });
    let isCut: Promise<unknown> = Promise.resolve();
    const endless = (response: ServerResponse): void => {
      isCut = new Promise((resolve) => response.on('close', resolve));
      const more = (): void => void response.write(CONTENT, more);
      more();
    };
    await expect(fetched(endless)).rejects.toMatchObject({ code: 'BAD_MODEL' });
    await isCut;
  });

  it('says VISION_DOWN of what is not there, does not come whole, or comes from nowhere', async () => {
    await expect(fetched((response) => response.writeHead(404).end())).rejects.toMatchObject({ code: 'VISION_DOWN' });
    const cut = (response: ServerResponse): void => {
      response.writeHead(200, { 'content-length': CONTENT.length });
      response.write(CONTENT.subarray(0, 1_000), () => response.destroy());
    };
    await expect(fetched(cut)).rejects.toMatchObject({ code: 'VISION_DOWN' });
    const nowhere = fetchChecked('http://127.0.0.1:1/model', MODEL, () => undefined);
    await expect(nowhere).rejects.toMatchObject({ code: 'VISION_DOWN' });
  });

  it('knows the WebAssembly of the installed package', () => {
    const folder = dirname(createRequire(import.meta.url).resolve('@mediapipe/tasks-vision'));
    const bytes = readFileSync(join(folder, 'wasm', WASM_FILE.file));
    expect(bytes.length).toBe(WASM_FILE.sizeBytes);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(WASM_FILE.sha256);
  });
});
