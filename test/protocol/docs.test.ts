import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MISSING_REASONS } from '../../src/domain/modality.ts';
import { ERROR_CODES } from '../../src/errors.ts';
import { decodeInsight, encodeInsight, MAX_LINE_CHARS, PROTOCOL_VERSION } from '../../src/protocol/insight.ts';

const doc = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');

/** The cells of the body rows of the table below a heading, code marks removed. */
function tableBelow(heading: string): string[][] {
  const section = doc.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\|[\s|:-]+$/.test(line))
    .slice(1)
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim().replace(/^`(.*)`$/, '$1')),
    );
}

describe('docs/protocol.md', () => {
  it('lists every missing reason once, in the order of the code, each with a meaning', () => {
    const rows = tableBelow('Missing reasons');
    expect(rows.map(([reason]) => reason)).toEqual([...MISSING_REASONS]);
    for (const [, meaning] of rows) expect(meaning?.length).toBeGreaterThan(10);
  });

  it('lists every error code with the meaning, retryability and close code of the code', () => {
    const expected = Object.entries(ERROR_CODES).map(([code, { meaning, retryable, closeCode }]) => [
      code,
      meaning,
      retryable ? 'yes' : 'no',
      String(closeCode),
    ]);
    expect(tableBelow('Error codes')).toEqual(expected);
  });

  it('shows one example line of every message type, and each is read and written back unchanged', () => {
    const lines = [...doc.matchAll(/```text\n(.*)\n```/g)].map(([, line]) => line ?? '');
    const types = lines.map((line) => {
      const decoded = decodeInsight(line);
      if (!decoded.ok) return decoded.rule;
      expect(encodeInsight(decoded.insight)).toBe(line);
      return decoded.insight.type;
    });
    expect(types).toEqual(['session', 'interim', 'utterance', 'modality', 'speaker', 'gap', 'fault', 'summary']);
  });

  it('names the version and the longest line of the code', () => {
    expect(doc).toContain(`# The wire protocol, version ${PROTOCOL_VERSION}\n`);
    expect(doc).toContain(`${MAX_LINE_CHARS.toLocaleString('en-US')} characters`);
  });
});
