import type { ServerConfig } from '../../config.ts';
import { ADAPTERS } from '../adapters.ts';
import type { Terminal } from '../terminal.ts';
import type { RecognizerTable } from '../recognizers.ts';
import { openRecognizers } from '../transcribe/openRecognizers.ts';
import { DEFAULT_POOL } from '../transcribe/pool.ts';
import { createSeats } from '../transcribe/seats.ts';
import type { LiveTranscription } from './analyzeLive.ts';

/** `asr`: names that go before those of the configuration. `available`: those of this product unless given. */
export type SpeechOptions = { readonly asr: readonly string[] | undefined; readonly available?: RecognizerTable };

/** Streams that are kept ready for calls that begin: those of two participants. */
const READY_STREAMS = 2;

/**
 * Opens the recognizers that live sessions share and says on the terminal which they are: those of `asr`, or else those of
 * the configuration; none where neither names any. The preferred one is ready for a call of two before anybody calls.
 * @throws UndertoneError BAD_OPTION, RECOGNIZER_MISSING, RECOGNIZER_FAILED
 */
export async function openSpeech(
  { transcribers, transcribeCaptioned, limits }: ServerConfig,
  terminal: Terminal,
  { asr, available = ADAPTERS.recognizers }: SpeechOptions,
): Promise<LiveTranscription | undefined> {
  const names = asr ?? transcribers;
  if (names.length === 0) return undefined;
  const option = asr ? '--asr' : 'transcribers';
  const { recognizers, notices } = await openRecognizers(names, available, terminal.env, option);
  for (const notice of notices) terminal.err.write(`${notice}\n`);
  await recognizers[0]?.keepReady?.(READY_STREAMS);
  return {
    recognizers,
    captioned: transcribeCaptioned ? 'recognized' : 'left',
    seats: createSeats(),
    pool: { ...DEFAULT_POOL, budgetMs: limits.maxTranscribedMs },
  };
}
