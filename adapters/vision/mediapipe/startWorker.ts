import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts a worker thread and gives it `workerData`. TypeScript (tests, `npx tsx`) needs tsx in the thread, too. What is printed
 * there is not kept.
 */
export function startWorker(script: URL, workerData?: unknown): Worker {
  const options = { workerData, stdout: true, stderr: true };
  const worker = script.href.endsWith('.js') ? new Worker(script, options) : startSource(script.href, options);
  worker.stdout.resume();
  worker.stderr.resume();
  return worker;
}

function startSource(source: string, options: WorkerOptions): Worker {
  const loader = pathToFileURL(
    createRequire(import.meta.url)
      .resolve('tsx/esm/api')
      .replace(/\.cjs$/, '.mjs'),
  ).href;
  const code = `import(${JSON.stringify(loader)}).then(({ tsImport }) => tsImport(${JSON.stringify(source)}, ${JSON.stringify(source)}))`;
  return new Worker(code, { ...options, eval: true });
}
