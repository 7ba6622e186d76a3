import { afterEach, describe, expect, it } from 'vitest';
import { createHash } from 'node:crypto';
import type { LiveServer } from '../../src/server/liveServer.ts';
import type { Page } from '../../src/server/page.ts';
import { startTestServer } from '../support/liveServer.ts';

const PAGE: Page = new Map([
  ['/', { type: 'text/html', read: async () => Buffer.from('<!doctype html>') }],
  ['/page/page.js', { type: 'text/javascript', read: async () => Buffer.from('export {}') }],
  ['/page/broken', { type: 'text/plain', read: async () => Promise.reject(new Error('gone')) }],
]);
let server: LiveServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});
const get = async (path: string, config: unknown = {}, headers: Record<string, string> = {}): Promise<Response> => {
  server ??= await startTestServer(config, { page: PAGE });
  return fetch(`${server.url.replace('ws', 'http')}${path}`, { headers });
};

describe('the page of a server', () => {
  it('is shown to browsers of this machine, with its files and their types', async () => {
    const page = await get('/');
    expect([page.status, page.headers.get('content-type'), await page.text()]).toEqual([
      200,
      'text/html',
      '<!doctype html>',
    ]);
    const script = await get('/page/page.js');
    expect(script.headers.get('content-type')).toMatch(/^text\/javascript/);
    expect((await get('/page/missing.js')).status).toBe(404);
    expect((await get('/page/../page/%2e%2e/package.json')).status).toBe(404);
  });

  it('may load nothing of elsewhere, be framed by nobody, and use the devices', async () => {
    const { headers } = await get('/');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe-inline');
    expect(headers.get('permissions-policy')).toBe('camera=(self), microphone=(self)');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('is not there on a server with keys, nor where the configuration says so', async () => {
    const sha256 = createHash('sha256').update('key').digest('hex');
    const config = { keys: [{ id: 'one', sha256, scopes: ['admin'] }] };
    expect((await get('/', config)).status).toBe(404);
    await server?.close();
    server = undefined;
    expect((await get('/', { page: false })).status).toBe(404);
    expect((await get('/page/page.js')).status).toBe(404);
  });

  it('is not given to pages of elsewhere', async () => {
    const answer = await get('/page/page.js', {}, { origin: 'https://elsewhere.example' });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: 'ORIGIN_REFUSED' });
  });

  it('answers a file that cannot be read without a word of why', async () => {
    const answer = await get('/page/broken');
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('gone');
  });
});
