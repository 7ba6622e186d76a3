/** Escape sequences (CSI, OSC and other strings, two-character ones), whole, so that no debris of them stays behind. */
const ESCAPE_SEQUENCES: RegExp = new RegExp(
  [
    String.raw`(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?`,
    String.raw`(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?`,
    String.raw`\u001b[ -/]*[0-~]?`,
  ].join('|'),
  'gu',
);

/** Characters that move text about without being seen: bidirectional controls, line separators, tags, soft hyphen. */
const INVISIBLE_CONTROLS =
  /[\p{Cc}\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/**
 * Returns text from outside (what people said, names, messages) as one line that is safe to show: escape sequences and
 * control characters are gone, runs of white space are one blank, lone surrogates and non-characters become U+FFFD.
 */
export function cleanText(text: string): string {
  return text
    .replace(/\p{Surrogate}|[\ufffe\uffff]/gu, '\ufffd')
    .replace(/[\t\n\v\f\r\u0085\u2028\u2029]+/gu, ' ')
    .replace(ESCAPE_SEQUENCES, '')
    .replace(INVISIBLE_CONTROLS, '')
    .replace(/\s+/gu, ' ')
    .trim();
}
