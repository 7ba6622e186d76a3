import { CsvError, parse } from 'csv-parse/sync';
import { badDataset } from '../../training/datasetMeta.ts';
import { readTextFile } from './textFile.ts';

/** One row of a CSV file: its last line in the file, and its fields by column, trimmed. */
export type CsvRow<Column extends string> = {
  readonly line: number;
  readonly fields: Readonly<Partial<Record<Column, string>>>;
};

/** Which columns a file must have, and which it may have beside them. */
export type CsvColumns<Column extends string> = {
  readonly required: readonly Column[];
  readonly optional?: readonly Column[];
};

const MAX_FIELD_CHARACTERS = 2 ** 20;

/**
 * Returns the rows of a CSV file with a header, in order; empty lines are left out. Columns may come in any order.
 * @throws UndertoneError BAD_DATASET with line and rule: no such file, not CSV, a column that is missing, unknown or there
 *   twice, a row with more or fewer fields than columns.
 */
export async function readCsv<Column extends string>(
  folder: string,
  file: string,
  { required, optional = [] }: CsvColumns<Column>,
): Promise<readonly CsvRow<Column>[]> {
  const [header, ...rows] = parseRows(await readTextFile(folder, file), file);
  const names: readonly string[] = header?.values ?? [];
  const known: readonly Column[] = [...required, ...optional];
  const columns = names.map((name) => known.find((column) => column === name));
  const missing = required.filter((name) => !names.includes(name));
  if (missing.length > 0) badDataset(file, `line 1: it has no column ${missing.map((name) => `"${name}"`).join(', ')}`);
  if (columns.includes(undefined)) badDataset(file, `line 1: column ${columns.indexOf(undefined) + 1} is unknown`);
  if (new Set(names).size < names.length) badDataset(file, 'line 1: a column is there twice');
  return rows.map(({ line, values }) => {
    if (values.length !== names.length)
      badDataset(file, `line ${line}: it has ${values.length} fields, not ${names.length}`);
    const fields: Partial<Record<Column, string>> = {};
    for (const [i, column] of columns.entries()) if (column !== undefined) fields[column] = values[i] ?? '';
    return { line, fields };
  });
}

type Row = { readonly line: number; readonly values: readonly string[] };

function parseRows(text: string, file: string): Row[] {
  const rows: Row[] = [];
  try {
    parse(text, {
      bom: true,
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
      max_record_size: MAX_FIELD_CHARACTERS,
      on_record: (values: string[], { lines }) => {
        rows.push({ line: lines, values });
        return null;
      },
    });
  } catch (error) {
    // The message of the library may repeat what stands in the file.
    if (error instanceof CsvError)
      badDataset(file, `after line ${rows.at(-1)?.line ?? 0}: it is not CSV (${error.code})`);
    throw error;
  }
  return rows;
}
