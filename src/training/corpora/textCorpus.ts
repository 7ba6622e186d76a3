import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { UndertoneError } from '../../errors.ts';

/** One row of a text corpus. `target`: a share for each class, summing to 1, or the values themselves. */
export type TextRow = { readonly text: string; readonly split: string; readonly target: readonly number[] };

/**
 * A corpus of labelled texts in its own label set: `classes`, one share each (several labels of a row share equally), or
 * `values` on continuous scales, such as valence, arousal and dominance. Rows without a label are left out.
 */
export type TextCorpus = {
  readonly name: string;
  readonly target: 'classes' | 'values';
  /** Names of the classes, in alphabetical order; of continuous scales only their number is known. */
  readonly names: readonly string[];
  readonly rows: readonly TextRow[];
};

const MAX_BYTES = 512 << 20;
const Row = z.object({
  text: z.string(),
  split: z.string(),
  source_label: z.union([z.string(), z.array(z.string()), z.array(z.number()), z.null()]),
});
type RawRow = z.infer<typeof Row> & { readonly line: number };

/**
 * Reads a corpus of one JSON object per line, `{ text, split, source_label, … }`, gzipped or plain (DATASET.md, text corpora),
 * of at most `maxBytes` when it is unpacked.
 * @throws UndertoneError BAD_DATASET with the file, the line and the rule
 */
export async function readTextCorpus(path: string, maxBytes: number = MAX_BYTES): Promise<TextCorpus> {
  const rule = 'it needs "text", "split" and "source_label"';
  const rows = parseRows(await readCorpusText(path, maxBytes), basename(path), Row, rule);
  const isValues = rows.some(({ source_label }) => Array.isArray(source_label) && typeof source_label[0] === 'number');
  const name = corpusName(path);
  return isValues ? toValues(name, rows, basename(path)) : toClasses(name, rows);
}

/** The name of a corpus: its file's, without the ending. */
export function corpusName(path: string): string {
  return basename(path).replace(/\.jsonl(\.gz)?$/, '');
}

/** Reads the text of a corpus file, unpacked where it is gzipped. @throws UndertoneError BAD_DATASET */
export async function readCorpusText(path: string, maxBytes: number = MAX_BYTES): Promise<string> {
  try {
    const bytes = await readFile(path);
    const plain = path.endsWith('.gz') ? gunzipSync(bytes, { maxOutputLength: maxBytes }) : bytes;
    if (plain.length > maxBytes) throw new RangeError(`it has ${plain.length} bytes`);
    return new TextDecoder('utf-8', { fatal: true }).decode(plain);
  } catch (cause) {
    throw new UndertoneError(
      'BAD_DATASET',
      `text corpus: ${basename(path)} cannot be read as (gzipped) UTF-8 of at most ${maxBytes} bytes`,
      { cause },
    );
  }
}

/** Parses one JSON object per line; empty lines are skipped. @throws UndertoneError BAD_DATASET with the line and `rule` */
export function parseRows<T>(
  text: string,
  file: string,
  schema: z.ZodType<T>,
  rule: string,
): (T & { readonly line: number })[] {
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    let json: unknown;
    try {
      json = JSON.parse(line);
    } catch {
      return fail(file, i, 'it is not JSON');
    }
    const parsed = schema.safeParse(json);
    return parsed.success ? [{ ...parsed.data, line: i }] : fail(file, i, rule);
  });
}

function toClasses(name: string, rows: readonly RawRow[]): TextCorpus {
  const labelled = rows.flatMap(({ text, split, source_label }) => {
    const list = [source_label].flat().flatMap((label) => (typeof label === 'string' ? [label.trim()] : []));
    const labels = [...new Set(list.filter((label) => label !== ''))];
    return labels.length > 0 ? [{ text, split, labels }] : [];
  });
  const names = [...new Set(labelled.flatMap(({ labels }) => labels))].sort();
  if (names.length < 2) throw new UndertoneError('BAD_DATASET', `text corpus ${name}: it has fewer than two labels`);
  const places = new Map(names.map((label, i) => [label, i]));
  return {
    name,
    target: 'classes',
    names,
    rows: labelled.map(({ text, split, labels }) => {
      const target = new Array<number>(names.length).fill(0);
      for (const label of labels) target[places.get(label) as number] = 1 / labels.length;
      return { text, split, target };
    }),
  };
}

/** Values are standardised over all rows, so that each scale counts alike. */
function toValues(name: string, rows: readonly RawRow[], file: string): TextCorpus {
  const labelled = rows.flatMap(({ text, split, source_label, line }) => {
    if (source_label === null || source_label.length === 0) return [];
    const values = [source_label].flat().flatMap((value) => (typeof value === 'number' ? [value] : []));
    const isWhole = Array.isArray(source_label) && values.length === source_label.length;
    return isWhole ? [{ text, split, values, line }] : fail(file, line, 'it has a label where others have values');
  });
  const size = labelled[0]?.values.length ?? 0;
  const odd = labelled.find(({ values }) => values.length !== size);
  if (odd) fail(file, odd.line, `it has ${odd.values.length} values where others have ${size}`);
  const scales = Array.from({ length: size }, (_, k) => standardise(labelled.map(({ values }) => values[k] as number)));
  return {
    name,
    target: 'values',
    names: scales.map((_, k) => `value${k}`),
    rows: labelled.map(({ text, split }, i) => ({ text, split, target: scales.map((scale) => scale[i] as number) })),
  };
}

function standardise(values: readonly number[]): number[] {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
  return values.map((value) => (deviation > 1e-9 ? (value - mean) / deviation : 0));
}

function fail(file: string, line: number, rule: string): never {
  throw new UndertoneError('BAD_DATASET', `text corpus: ${file}: line ${line + 1}: ${rule}`);
}
