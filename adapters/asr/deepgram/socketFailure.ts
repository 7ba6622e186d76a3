import { UndertoneError } from '../../../src/errors.ts';

/** Why a connection ended: the close code, Deepgram's own code where it gave one, the HTTP status of a refusal. */
export type SocketFailure = { readonly closeCode: number; readonly reason: string; readonly httpStatus?: number };

/** The close code of a connection that we gave up ourselves (RFC 6455 reserves it: it is never on the wire). */
export const GIVEN_UP = 1006;

/** Returns only the code from a close reason: the rest is free text of the peer, and stays out of messages. */
export function toReasonCode(reason: string): string {
  return /\b(?:DATA|NET)-\d{4}\b/u.exec(reason)?.[0] ?? 'no code';
}

/** Is it worth connecting again? Not after a refusal or when the sound itself was refused (1008, DATA-0000). */
export function isRetryable({ closeCode, reason, httpStatus }: SocketFailure): boolean {
  if (httpStatus !== undefined) return httpStatus === 408 || httpStatus === 429 || httpStatus >= 500;
  return closeCode !== 1008 && !reason.startsWith('DATA-');
}

/** The failure as an error: RECOGNIZER_MISSING when the key was refused, RECOGNIZER_FAILED otherwise. */
export function toError({ closeCode, reason, httpStatus }: SocketFailure): UndertoneError {
  if (httpStatus === 401 || httpStatus === 403) {
    return new UndertoneError('RECOGNIZER_MISSING', `Deepgram refused the API key (HTTP ${httpStatus})`);
  }
  const what = httpStatus === undefined ? `close code ${closeCode}, ${reason}` : `HTTP ${httpStatus}`;
  return new UndertoneError('RECOGNIZER_FAILED', `Deepgram's connection failed: ${what}`);
}
