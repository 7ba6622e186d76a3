import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CatalogueModel } from '../../domain/modelCatalogue.ts';
import { UndertoneError } from '../../errors.ts';
import { keepModel } from './modelStore.ts';

/** How a download goes. */
export type DownloadOptions = {
  readonly folder: string;
  readonly url: string;
  /** Nothing for so long ends a try, in ms. */
  readonly stallMs?: number;
  /** Tries, each going on from where the one before broke off. */
  readonly tries?: number;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
};

const STALL_MS = 20_000;
const TRIES = 5;

/**
 * Downloads a model into the folder. A download that breaks off goes on where it stopped, in this run or a later one; what is
 * whole but not the model of the catalogue is thrown away. The file appears when it is whole and checked, never before.
 * @throws UndertoneError DOWNLOAD_FAILED, BAD_MODEL, OUTPUT_FAILED
 */
export async function downloadModel(model: CatalogueModel, options: DownloadOptions): Promise<void> {
  const { folder, tries = TRIES } = options;
  const partial = join(folder, `${model.file}.download`);
  await mkdir(dirname(partial), { recursive: true });
  let failure: unknown;
  for (let left = tries; left > 0; left--) {
    try {
      await fetchInto(partial, model, options);
      failure = undefined;
      break;
    } catch (error) {
      failure = error;
      if (error instanceof Refusal) break;
    }
  }
  if (failure) throw failed(model, failure);
  try {
    await keepModel(model, folder, await readFile(partial));
  } finally {
    await rm(partial, { force: true });
  }
}

/** Trying again would end the same. */
class Refusal extends Error {}

async function fetchInto(
  partial: string,
  { sizeBytes }: CatalogueModel,
  { url, stallMs = STALL_MS, onProgress }: DownloadOptions,
): Promise<void> {
  const before = (await stat(partial).catch(() => undefined))?.size ?? 0;
  if (before === sizeBytes) return;
  const from = before < sizeBytes ? before : 0;
  const stalled = new AbortController();
  const alarm = (): NodeJS.Timeout => setTimeout(() => stalled.abort(new Error('nothing came')), stallMs);
  let timer = alarm();
  try {
    const answer = await fetch(url, {
      signal: stalled.signal,
      headers: from > 0 ? { range: `bytes=${from}-` } : {},
    });
    if (answer.status >= 400 && answer.status < 500 && answer.status !== 429 && answer.status !== 408)
      throw new Refusal(`the server answered ${answer.status}`);
    if (!answer.ok || !answer.body) throw new Error(`the server answered ${answer.status}`);
    // A server that does not know ranges begins again, and so do we.
    let at = answer.status === 206 && beginsAt(answer) === from ? from : 0;
    if (answer.status === 206 && at !== from) throw new Error('the server answered another range');
    const file = await open(partial, at > 0 ? 'r+' : 'w');
    try {
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
        clearTimeout(timer);
        timer = alarm();
        if (at + chunk.length > sizeBytes) throw new Refusal('more came than the model has');
        await file.write(chunk, 0, chunk.length, at);
        at += chunk.length;
        onProgress?.(at, sizeBytes);
      }
    } finally {
      await file.close();
    }
    if (at < sizeBytes) throw new Error(`it broke off at ${at} of ${sizeBytes} bytes`);
  } catch (error) {
    if (error instanceof Refusal) await rm(partial, { force: true });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function beginsAt(answer: Response): number {
  return Number(/^bytes (\d+)-/.exec(answer.headers.get('content-range') ?? '')?.[1] ?? NaN);
}

function failed({ file }: CatalogueModel, cause: unknown): UndertoneError {
  const reason = cause instanceof Error ? cause.message : 'unknown';
  return new UndertoneError('DOWNLOAD_FAILED', `${file} could not be downloaded: ${reason}`, { cause });
}
