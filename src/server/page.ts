import type { FastifyInstance } from 'fastify';
import type { Access } from './access.ts';
import type { Admission } from './admission.ts';

/** A file of a page: its media type, and its bytes when somebody asks for it. */
export type PageFile = { readonly type: string; readonly read: () => Promise<Uint8Array> };

/** The files of a page by their paths, `/` among them. */
export type Page = ReadonlyMap<string, PageFile>;

/** What a page may do: load what comes from here, and talk to here. Nobody may frame it, and it submits no form elsewhere. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "media-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'permissions-policy': 'camera=(self), microphone=(self)',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-cache',
};

/** Serves a page to those whom an open server answers: browsers of this machine. It has no key, and is given none. */
export function addPage(
  app: FastifyInstance,
  page: Page,
  { access, admission }: { readonly access: Access; readonly admission: Admission },
): void {
  for (const [path, { type, read }] of page)
    app.get(path, async ({ ip, headers: { origin, host } }, reply) => {
      admission.attempt(ip);
      await access.authenticate({ origin, host, protocols: [], remoteAddress: ip });
      return reply
        .headers(HEADERS)
        .type(type)
        .send(Buffer.from(await read()));
    });
}
