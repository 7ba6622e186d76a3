// Bundles the page that the server shows, with its workers, into dist/page or the folder that is named.
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Writes page.js, visionWorker.js, microphoneWorklet.js, chunks, index.html and style.css. */
export async function buildPage(folder) {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: {
      page: 'src/dashboard/main.ts',
      visionWorker: 'src/client/browser/vision/visionWorker.ts',
      microphoneWorklet: 'src/client/browser/microphoneWorklet.ts',
    },
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    outdir: folder,
    legalComments: 'none',
    logLevel: 'warning',
  });
  for (const file of ['index.html', 'style.css']) await copyFile(join(root, 'src/dashboard', file), join(folder, file));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPage(process.argv[2] ?? join(root, 'dist/page'));
