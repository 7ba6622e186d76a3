import { basename } from 'node:path';
import type { CatalogueModel } from '../../domain/modelCatalogue.ts';
import { isUndertoneError, UndertoneError } from '../../errors.ts';
import { ALL_MODELS, MODEL_NAMES, PULLED_UNASKED } from '../models/catalogue.ts';
import { downloadModel } from '../models/downloadModel.ts';
import { keepModel, modelsFolder, verifyModel } from '../models/modelStore.ts';
import { EXIT, type Terminal } from '../terminal.ts';

/** Options of all `models` commands. */
export type ModelsOptions = { readonly models?: string };

const BYTES_PER_MB = 1_000_000;
/** Progress is said in steps of this share. */
const PROGRESS_STEP = 0.1;

/** Prints the catalogue, file by file, with what of it is there. */
export async function runModelsList(options: ModelsOptions, terminal: Terminal): Promise<number> {
  const folder = folderOf(options, terminal);
  for (const model of ALL_MODELS) {
    const state = await verifyModel(model, folder);
    const { modality, sizeBytes, licence, origin, sha256 } = model;
    const source = origin.kind === 'download' ? origin.url : `built from ${origin.from}`;
    const is = state.isThere ? 'there' : origin.kind === 'build' ? 'built when needed' : state.reason;
    terminal.out.write(
      `${labelOf(model)}: ${modality}, ${(sizeBytes / BYTES_PER_MB).toFixed(1)} MB, ${licence}, ${is}\n  ${source}\n  sha256 ${sha256}\n`,
    );
  }
  terminal.out.write(`in ${folder}\n`);
  return EXIT.done;
}

/** Gets the models named, or those of pictures: what is there is left. Returns 2 when one could not be got. */
export async function runModelsPull(
  names: readonly string[],
  options: ModelsOptions,
  terminal: Terminal,
): Promise<number> {
  const folder = folderOf(options, terminal);
  if (names.some((name) => !MODEL_NAMES.includes(name)))
    throw new UndertoneError('BAD_OPTION', `models are ${MODEL_NAMES.join(', ')}`);
  const isWanted = ({ name }: CatalogueModel): boolean =>
    names.length === 0 ? PULLED_UNASKED.has(name) : names.includes(name);
  let status: number = EXIT.done;
  for (const model of ALL_MODELS.filter(isWanted)) {
    try {
      if ((await verifyModel(model, folder)).isThere) terminal.out.write(`${labelOf(model)}: there\n`);
      else await pull(model, folder, terminal);
    } catch (error) {
      if (!isUndertoneError(error)) throw error;
      terminal.err.write(`undertone: ${error.code}: ${error.message}\n`);
      status = EXIT.refused;
    }
  }
  return status;
}

/** Checks size and sha256 of the models in the folder; returns 2 when one is damaged. Models that are not there are said. */
export async function runModelsVerify(options: ModelsOptions, terminal: Terminal): Promise<number> {
  const folder = folderOf(options, terminal);
  let status: number = EXIT.done;
  for (const model of ALL_MODELS) {
    const state = await verifyModel(model, folder);
    terminal.out.write(`${labelOf(model)}: ${state.isThere ? 'whole' : state.reason}\n`);
    if (!state.isThere && state.reason !== 'not there') status = EXIT.refused;
  }
  return status;
}

async function pull(model: CatalogueModel, folder: string, terminal: Terminal): Promise<void> {
  const { origin } = model;
  const label = labelOf(model);
  if (origin.kind === 'build') await keepModel(model, folder, await origin.build());
  else await downloadModel(model, { folder, url: origin.url, onProgress: progressOf(label, terminal) });
  terminal.out.write(`${label}: ${origin.kind === 'build' ? `built from ${origin.from}` : 'downloaded'}\n`);
}

function progressOf(name: string, terminal: Terminal): (doneBytes: number, totalBytes: number) => void {
  let said = 0;
  return (done, total) => {
    if (done / total < said + PROGRESS_STEP) return;
    said = Math.floor(done / total / PROGRESS_STEP) * PROGRESS_STEP;
    terminal.err.write(`${name}: ${Math.round(said * 100)} %\n`);
  };
}

/** A model's name, and which of its files when it has several. */
function labelOf({ name, file }: CatalogueModel): string {
  const isAlone = ALL_MODELS.filter((model) => model.name === name).length === 1;
  return isAlone ? name : `${name} (${basename(file)})`;
}

function folderOf({ models }: ModelsOptions, terminal: Terminal): string {
  return models ?? modelsFolder(terminal.env);
}
