/** What ffmpeg's error lines may mean, most telling first. `rule` is all that users see of them. */
const RULES: readonly { readonly pattern: RegExp; readonly rule: string }[] = [
  { pattern: /Failed to compensate|Cannot allocate memory/, rule: 'a gap or a frame is larger than can be handled' },
  { pattern: /non monotonically increasing dts/, rule: 'the stream changes its format midway, so times are not kept' },
  { pattern: /partial file|ended prematurely|Read error|truncat/i, rule: 'the file breaks off' },
  {
    pattern: /Error while decoding|Error submitting packet|Invalid data found|Invalid PCM packet|corrupt/i,
    rule: 'a part is damaged',
  },
  { pattern: /Decoder .*not found|decoder.*not (?:found|supported)/i, rule: 'this ffmpeg has no decoder for it' },
];

/** Listens to ffmpeg's error lines; holds one number, however many lines there are. */
export type DecodeFaults = { readonly line: (text: string) => void; readonly rule: () => string | null };

/**
 * Creates a listener whose `rule` is the most telling thing that was reported of the file `url`, null for nothing. The
 * name of the file is taken out of each line first: it may contain any word.
 */
export function createDecodeFaults(url: string): DecodeFaults {
  let worst = RULES.length;
  const line = (text: string): void => {
    const said = text.replaceAll(url, '');
    const found = RULES.findIndex(({ pattern }) => pattern.test(said));
    if (found >= 0) worst = Math.min(worst, found);
  };
  return { line, rule: () => RULES[worst]?.rule ?? null };
}
