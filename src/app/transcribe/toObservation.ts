import type { RecognizerEvent } from '../../adapter.ts';
import type { InterimTranscript, StreamOpened, Transcript } from '../../domain/observation.ts';
import type { Speaker } from '../../domain/speaker.ts';

/** Returns what a recognizer said of an audio stream, as words on its text stream `asr:<audio stream>`; it arrives at 0. */
export function toObservation(
  event: RecognizerEvent,
  stream: Pick<StreamOpened, 'streamId' | 'language'>,
  speaker: Speaker | undefined,
): InterimTranscript | Transcript {
  const { startMs, endMs, text } = event;
  const streamId = `asr:${stream.streamId}`;
  const said = { arrivalMs: 0, streamId, startMs, endMs, text, ...(speaker && { speaker }) };
  if (event.type === 'interim') return { type: 'interim', ...said };
  const { words, language = stream.language } = event;
  return { type: 'transcript', ...said, ...(words && { words }), ...(language !== undefined && { language }) };
}
