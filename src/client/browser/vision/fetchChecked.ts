import { UndertoneError } from '../../../errors.ts';
import type { ModelFile } from '../../../domain/modelCatalogue.ts';

/**
 * Fetches a file and returns its bytes once they are those that it must have. Nothing longer than the file is taken.
 * @param onProgress Called with each piece that comes.
 * @throws UndertoneError BAD_MODEL when it is another file, VISION_DOWN when it does not come.
 */
export async function fetchChecked(
  url: string,
  { file, sizeBytes, sha256 }: ModelFile,
  onProgress: () => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(sizeBytes);
  let length = 0;
  const reader = await open(url, file);
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new UndertoneError('VISION_DOWN', `${file} did not come whole`, { cause });
    });
    if (done) break;
    if (length + value.length > sizeBytes) {
      await reader.cancel().catch(() => undefined);
      throw new UndertoneError('BAD_MODEL', `${file} has more than ${sizeBytes} bytes`);
    }
    bytes.set(value, length);
    length += value.length;
    onProgress();
  }
  if (length !== sizeBytes)
    throw new UndertoneError('BAD_MODEL', `${file} has ${length} bytes instead of ${sizeBytes}`);
  if ((await digestOf(bytes)) !== sha256)
    throw new UndertoneError('BAD_MODEL', `${file} has another sha256 than the catalogue`);
  return bytes;
}

async function open(url: string, file: string): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  let answer: Response;
  try {
    answer = await fetch(url);
  } catch (cause) {
    throw new UndertoneError('VISION_DOWN', `${file} cannot be fetched`, { cause });
  }
  if (!answer.ok || !answer.body) throw new UndertoneError('VISION_DOWN', `${file} was answered with ${answer.status}`);
  return answer.body.getReader();
}

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
