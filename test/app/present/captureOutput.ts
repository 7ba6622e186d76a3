import { Writable } from 'node:stream';
import type { TextOutput } from '../../../src/app/present/presenter.ts';

/** An output that keeps what is written to it, of a given terminal size, or no terminal at all. */
export type CapturedOutput = Omit<TextOutput, 'columns'> & { text(): string; columns?: number };

export function captureOutput(terminal?: { columns: number; rows: number; depth?: number }): CapturedOutput {
  const chunks: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  const size = terminal && { isTTY: true, ...terminal, getColorDepth: () => terminal.depth ?? 8 };
  return Object.assign(stream, size, { text: () => chunks.join('') });
}

/** What a terminal of a given width shows after text with the cursor moves that log-update and the progress bar use. */
export function screenOf(output: string): string[] {
  const lines: string[] = [''];
  let row = 0;
  let column = 0;
  const put = (character: string): void => {
    const line = (lines[row] ?? '').padEnd(column);
    lines[row] = line.slice(0, column) + character + line.slice(column + character.length);
    column += character.length;
  };
  const parts = output.match(/\u001b\[[?0-9;]*[A-Za-z]|[^\u001b]/gu) ?? [];
  for (const part of parts) {
    const count = Number(/\d+/.exec(part)?.[0] ?? 1);
    if (part === '\n') {
      row += 1;
      column = 0;
      lines[row] ??= '';
    } else if (part === '\r') column = 0;
    else if (!part.startsWith('\u001b')) put(part);
    else if (part.endsWith('A')) row = Math.max(0, row - count);
    else if (part.endsWith('B')) row += count;
    else if (part.endsWith('G')) column = 0;
    else if (part === '\u001b[2K') lines[row] = '';
    else if (part === '\u001b[K') lines[row] = (lines[row] ?? '').slice(0, column);
    else if (part === '\u001b[J' || part === '\u001b[0J') {
      lines[row] = (lines[row] ?? '').slice(0, column);
      lines.length = row + 1;
    }
  }
  return lines.map((line) => line.trimEnd());
}
