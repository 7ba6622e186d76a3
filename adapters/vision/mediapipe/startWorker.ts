import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/** Starts a worker thread. TypeScript (tests, `npx tsx`) needs tsx in the thread, too. What is printed there is not kept. */
export function startWorker(script: URL): Worker {
  const worker = script.href.endsWith('.js') ? new Worker(script, QUIET) : startSource(script.href);
  worker.stdout.resume();
  worker.stderr.resume();
  return worker;
}

const QUIET = { stdout: true, stderr: true };

function startSource(source: string): Worker {
  const loader = pathToFileURL(
    createRequire(import.meta.url)
      .resolve('tsx/esm/api')
      .replace(/\.cjs$/, '.mjs'),
  ).href;
  const code = `import(${JSON.stringify(loader)}).then(({ tsImport }) => tsImport(${JSON.stringify(source)}, ${JSON.stringify(source)}))`;
  return new Worker(code, { ...QUIET, eval: true });
}
