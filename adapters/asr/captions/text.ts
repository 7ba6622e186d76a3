import { UndertoneError } from '../../../src/errors.ts';
import { CAPTION_LIMITS } from './cue.ts';

/** Text taken from bytes; `isLossy` when some bytes were not valid in the encoding. */
export type DecodedText = { readonly text: string; readonly isLossy: boolean };

/**
 * Returns the text of a file: UTF-16 when it begins with that byte order mark, else UTF-8, without the mark.
 * @throws UndertoneError FILE_EMPTY when there is nothing but blanks, BAD_CAPTIONS when it is binary,
 * LIMIT_EXCEEDED past {@link CAPTION_LIMITS}.
 */
export function decodeText(bytes: Uint8Array): DecodedText {
  if (bytes.length > CAPTION_LIMITS.fileBytes) {
    throw new UndertoneError('LIMIT_EXCEEDED', `captions: ${bytes.length} bytes, at most ${CAPTION_LIMITS.fileBytes}`);
  }
  const text = new TextDecoder(encodingOf(bytes)).decode(bytes);
  if (text.trim() === '') throw new UndertoneError('FILE_EMPTY', 'captions: the file has no content');
  if (BINARY.test(text)) throw new UndertoneError('BAD_CAPTIONS', 'captions: binary, not text');
  return { text, isLossy: text.includes('\uFFFD') };
}

/** Returns the lines of a text, whatever ends them. @throws UndertoneError LIMIT_EXCEEDED past the limit of lines. */
export function toLines(text: string): readonly string[] {
  const lines = text.split(/\r\n|\r|\n/, CAPTION_LIMITS.lines + 1);
  if (lines.length > CAPTION_LIMITS.lines) {
    throw new UndertoneError('LIMIT_EXCEEDED', `captions: more than ${CAPTION_LIMITS.lines} lines`);
  }
  return lines;
}

/** Returns the text with control characters and runs of blanks as single blanks, lone surrogates replaced, trimmed. */
export function toPlainText(text: string): string {
  return text
    .replace(/\p{Cs}/gu, '\uFFFD')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
}

/** Returns the text without tags: `<i>`, `<c.red>`, `</v>`, `<00:01.000>`, `{\an8}`. A lone `<` is text. */
export function withoutTags(text: string): string {
  return text.replace(/<\/?[A-Za-z][^<>]*>|<\d[\d:.]*>|\{\\[^{}]*\}/g, '');
}

/** Returns the text with the character references of WebVTT and numeric ones decoded, each once. */
export function withEntities(text: string): string {
  return text.replace(/&(#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[a-z]{2,4});/g, (whole, name: string) => {
    return NAMED_ENTITIES.get(name) ?? numericEntity(name) ?? whole;
  });
}

/** Characters no text file holds: all controls but tab, line feed, form feed and carriage return. */
const BINARY = /[\u0000-\u0008\u000B\u000E-\u001F]/;

const NAMED_ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['nbsp', '\u00A0'],
  ['lrm', '\u200E'],
  ['rlm', '\u200F'],
]);

function numericEntity(name: string): string | undefined {
  if (!name.startsWith('#')) return undefined;
  const code = /^#[xX]/.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}

function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}
