import { build } from 'esbuild';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PixelPicture } from './callVideo.ts';

/** One request that the page or its worker made: how many bytes it carried, headers aside. */
export type SiteRequest = { readonly method: string; readonly path: string; readonly bodyBytes: number };

/** A site with a page that looks at pictures: test/e2e/browser/page/visionPage.ts, bundled. */
export type VisionSite = {
  readonly url: string;
  /** Everything that was asked for, in order. */
  readonly requests: readonly SiteRequest[];
  /** Answers a path with bytes that are made when they are asked for; another answer replaces one that is there. */
  serve(path: string, content: () => Promise<Uint8Array> | Uint8Array, type?: string): void;
  /** Serves pictures as raw RGBA, which loses nothing, and says where. */
  servePictures(name: string, pictures: readonly PixelPicture[]): ServedPicture[];
  close(): Promise<void>;
};
type ServedPicture = { readonly url: string; readonly width: number; readonly height: number; readonly atMs: number };
type Content = { readonly make: () => Promise<Uint8Array> | Uint8Array; readonly type: string };

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BINARY = 'application/octet-stream';
const SCRIPT = 'text/javascript';
const PAGE =
  '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="visionPage.js"></script>';

/** What the strictest page allows that looks at pictures; a video is read from a Blob only by tests. */
const CSP =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; img-src data:; media-src blob:";

/** Starts the site on a free port of this machine. Models are served where a test says so. */
export async function startVisionSite(): Promise<VisionSite> {
  const contents = new Map<string, Content>([['/', { make: () => Buffer.from(PAGE), type: 'text/html' }]]);
  const requests: SiteRequest[] = [];
  for (const { path, contents: script } of await bundle()) contents.set(path, { make: () => script, type: SCRIPT });
  const wasm = join(dirname(createRequire(import.meta.url).resolve('@mediapipe/tasks-vision')), 'wasm');
  for (const [file, type] of [
    ['vision_wasm_module_internal.js', SCRIPT],
    ['vision_wasm_module_internal.wasm', 'application/wasm'],
  ] as const)
    contents.set(`/wasm/${file}`, { make: () => readFile(join(wasm, file)), type });

  const server = createServer((request, response) => void answer(request, response, contents, requests));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const site: VisionSite = {
    url: `http://127.0.0.1:${port}/`,
    requests,
    serve: (path, make, type = BINARY) => void contents.set(path, { make, type }),
    servePictures: (name, pictures) =>
      pictures.map(({ rgba, ...picture }, i) => {
        const url = `/pictures/${name}/${i}`;
        site.serve(url, () => rgba);
        return { ...picture, url };
      }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return site;
}

/** Page and worker, as a bundler makes them for browsers: what is loaded when it is used is a file of its own. */
async function bundle(): Promise<{ readonly path: string; readonly contents: Uint8Array }[]> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: {
      visionPage: 'test/e2e/browser/page/visionPage.ts',
      visionWorker: 'src/client/browser/vision/visionWorker.ts',
    },
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    outdir: '/',
    write: false,
    logLevel: 'silent',
  });
  return outputFiles;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  contents: ReadonlyMap<string, Content>,
  requests: SiteRequest[],
): Promise<void> {
  let bodyBytes = 0;
  for await (const chunk of request) bodyBytes += (chunk as Buffer).length;
  const path = request.url ?? '';
  requests.push({ method: request.method ?? '', path, bodyBytes });
  const content = contents.get(path);
  if (!content) return void response.writeHead(404).end();
  const headers = { 'content-type': content.type, 'cache-control': 'no-store', 'content-security-policy': CSP };
  response.writeHead(200, headers);
  response.end(await content.make());
}
