/** How it is known who speaks. `unknown` is said aloud and never guessed. */
export const SPEAKER_SOURCES = ['track', 'channel', 'captions', 'rttm', 'diarizer', 'unknown'] as const;
/** One way of knowing who speaks. */
export type SpeakerSource = (typeof SPEAKER_SOURCES)[number];

/** Someone to whom speech is attributed. `id` is stable in a session; `name` is what the source called them. */
export type Speaker = { readonly id: string; readonly name: string; readonly source: SpeakerSource };

/** The speaker of speech that nothing attributes to anyone. */
export const UNKNOWN_SPEAKER: Speaker = { id: 'unknown', name: 'unknown', source: 'unknown' };

/**
 * Returns the speaker a source calls `name`. The name is put into Unicode form NFC, control characters become blanks,
 * and blanks are trimmed and collapsed; names that still differ get different ids, in every session the same ones.
 * Tracks, captions and diarizers that use one name therefore mean one id. No name gives the id of
 * {@link UNKNOWN_SPEAKER}.
 * @throws RangeError when nothing is left of the name; ask {@link isSpeakerName} first where that can happen.
 */
export function speakerFromName(name: string, source: SpeakerSource): Speaker {
  const plain = toPlainName(name);
  if (plain === '') throw new RangeError('name must hold at least one visible character');
  return { id: toSpeakerId(plain), name: plain, source };
}

/** Returns whether {@link speakerFromName} accepts the name: whether anything is left once blanks are trimmed. */
export function isSpeakerName(name: string): boolean {
  return toPlainName(name) !== '';
}

function toPlainName(name: string): string {
  return name
    .replace(/\p{Cs}/gu, '\uFFFD')
    .normalize('NFC')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
}

/** Letters, digits, marks and `_` stay, a blank becomes `-`, any other character `~<code point in hex>~`: reversible. */
function toSpeakerId(name: string): string {
  if (name === UNKNOWN_SPEAKER.id) return `${encodeCharacter('u')}nknown`;
  return name.replace(/[^\p{L}\p{N}\p{M}_]/gu, (character) => (character === ' ' ? '-' : encodeCharacter(character)));
}

function encodeCharacter(character: string): string {
  return `~${(character.codePointAt(0) ?? 0).toString(16)}~`;
}
