import type { ServerConfig } from '../../config.ts';
import { ADAPTERS } from '../adapters.ts';
import type { Terminal } from '../terminal.ts';
import { openRecognizers } from '../transcribe/openRecognizers.ts';
import { DEFAULT_POOL } from '../transcribe/pool.ts';
import { createSeats } from '../transcribe/seats.ts';
import type { LiveTranscription } from './analyzeLive.ts';

/**
 * Opens the recognizers that live sessions share and says on the terminal which they are: those of `asr`, or else those of
 * the configuration; none where neither names any.
 * @throws UndertoneError BAD_OPTION, RECOGNIZER_MISSING, RECOGNIZER_FAILED
 */
export async function openSpeech(
  { transcribers, transcribeCaptioned, limits }: ServerConfig,
  asr: readonly string[] | undefined,
  terminal: Terminal,
): Promise<LiveTranscription | undefined> {
  const names = asr ?? transcribers;
  if (names.length === 0) return undefined;
  const option = asr ? '--asr' : 'transcribers';
  const { recognizers, notices } = await openRecognizers(names, ADAPTERS.recognizers, terminal.env, option);
  for (const notice of notices) terminal.err.write(`${notice}\n`);
  return {
    recognizers,
    captioned: transcribeCaptioned ? 'recognized' : 'left',
    seats: createSeats(),
    pool: { ...DEFAULT_POOL, budgetMs: limits.maxTranscribedMs },
  };
}
