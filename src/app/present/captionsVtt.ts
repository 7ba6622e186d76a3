import { cleanText } from './cleanText.ts';
import type { FinalUtterance } from './timeline.ts';
import { percentText, spokenText } from './wording.ts';
import { escapeXml } from './xml.ts';

/**
 * Returns the final utterances as a WebVTT file: one cue each in order of start time, with the speaker as voice and the
 * emotion before the text, as in `<v Anna>[joy 72 %] text`. Markup and line breaks of the text are made harmless.
 * `leftOut` utterances that are not among those given are mentioned in a note. Source: W3C WebVTT, sections 4.1 and 4.2.
 */
export function renderCaptionsVtt(utterances: readonly FinalUtterance[], leftOut: number): string {
  const note = leftOut > 0 ? `NOTE ${leftOut} later utterances were left out\n\n` : '';
  const ordered = utterances.toSorted((a, b) => a.startMs - b.startMs || a.endMs - b.endMs);
  return `WEBVTT\n\n${note}${ordered.map(cueOf).join('\n')}`;
}

/** A cue must end after it starts, so one without length gets a millisecond. */
function cueOf(utterance: FinalUtterance): string {
  const startMs = Math.max(0, Math.round(utterance.startMs));
  const endMs = Math.max(startMs + 1, Math.round(utterance.endMs));
  const voice = escapeXml(cleanText(utterance.speaker.name)) || 'unknown';
  const emotion = escapeXml(`${cleanText(utterance.label)} ${percentText(utterance.confidence)}`);
  const said = escapeXml(spokenText(utterance));
  return `${timestamp(startMs)} --> ${timestamp(endMs)}\n<v ${voice}>[${emotion}] ${said}\n`;
}

function timestamp(ms: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes, seconds] = [
    Math.floor(ms / 3_600_000),
    Math.floor(ms / 60_000) % 60,
    Math.floor(ms / 1000) % 60,
  ];
  return `${two(hours)}:${two(minutes)}:${two(seconds)}.${String(ms % 1000).padStart(3, '0')}`;
}
