import { build } from 'esbuild';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGE =
  '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="capturePage.js"></script>';
/** No Blob, no inline script: what the strictest page allows. */
const CSP = "default-src 'none'; script-src 'self'; connect-src *; img-src data:";

/** A site with the page test/e2e/browser/page/capturePage.ts, bundled, under a strict content security policy. */
export async function startCaptureSite(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: {
      capturePage: 'test/e2e/browser/page/capturePage.ts',
      microphoneWorklet: 'src/client/browser/microphoneWorklet.ts',
    },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    outdir: '/',
    write: false,
    logLevel: 'silent',
  });
  const server = createServer(({ url }, response) => {
    const script = outputFiles.find(({ path }) => path === url);
    if (url !== '/' && !script) return void response.writeHead(404).end();
    response.writeHead(200, {
      'content-type': script ? 'text/javascript' : 'text/html',
      'content-security-policy': CSP,
    });
    response.end(script?.contents ?? PAGE);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
