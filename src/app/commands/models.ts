import { type CatalogueModel, MODEL_CATALOGUE } from '../../../adapters/vision/mediapipe/modelCatalogue.ts';
import { isUndertoneError, UndertoneError } from '../../errors.ts';
import { downloadModel } from '../models/downloadModel.ts';
import { keepModel, modelsFolder, verifyModel } from '../models/modelStore.ts';
import { EXIT, type Terminal } from '../terminal.ts';

/** Options of all `models` commands. */
export type ModelsOptions = { readonly models?: string };

const BYTES_PER_MB = 1_000_000;
/** Progress is said in steps of this share. */
const PROGRESS_STEP = 0.1;

/** Prints the catalogue, one model a line, with what of it is there. */
export async function runModelsList(options: ModelsOptions, terminal: Terminal): Promise<number> {
  const folder = folderOf(options, terminal);
  for (const model of MODEL_CATALOGUE) {
    const state = await verifyModel(model, folder);
    const { name, modality, sizeBytes, licence, origin, sha256 } = model;
    const source = origin.kind === 'download' ? origin.url : `built from ${origin.from}`;
    const is = state.isThere ? 'there' : origin.kind === 'build' ? 'built when needed' : state.reason;
    terminal.out.write(
      `${name}: ${modality}, ${(sizeBytes / BYTES_PER_MB).toFixed(1)} MB, ${licence}, ${is}\n  ${source}\n  sha256 ${sha256}\n`,
    );
  }
  terminal.out.write(`in ${folder}\n`);
  return EXIT.done;
}

/** Gets the models named, or all: those that are there are left. Returns 2 when one could not be got. */
export async function runModelsPull(
  names: readonly string[],
  options: ModelsOptions,
  terminal: Terminal,
): Promise<number> {
  const folder = folderOf(options, terminal);
  const unknown = names.find((name) => MODEL_CATALOGUE.every((model) => model.name !== name));
  if (unknown !== undefined)
    throw new UndertoneError('BAD_OPTION', `models are ${MODEL_CATALOGUE.map(({ name }) => name).join(', ')}`);
  let status: number = EXIT.done;
  for (const model of MODEL_CATALOGUE.filter(({ name }) => names.length === 0 || names.includes(name))) {
    try {
      if ((await verifyModel(model, folder)).isThere) terminal.out.write(`${model.name}: there\n`);
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
  for (const model of MODEL_CATALOGUE) {
    const state = await verifyModel(model, folder);
    terminal.out.write(`${model.name}: ${state.isThere ? 'whole' : state.reason}\n`);
    if (!state.isThere && state.reason !== 'not there') status = EXIT.refused;
  }
  return status;
}

async function pull(model: CatalogueModel, folder: string, terminal: Terminal): Promise<void> {
  const { origin, name } = model;
  if (origin.kind === 'build') await keepModel(model, folder, await origin.build());
  else await downloadModel(model, { folder, url: origin.url, onProgress: progressOf(name, terminal) });
  terminal.out.write(`${name}: ${origin.kind === 'build' ? `built from ${origin.from}` : 'downloaded'}\n`);
}

function progressOf(name: string, terminal: Terminal): (doneBytes: number, totalBytes: number) => void {
  let said = 0;
  return (done, total) => {
    if (done / total < said + PROGRESS_STEP) return;
    said = Math.floor(done / total / PROGRESS_STEP) * PROGRESS_STEP;
    terminal.err.write(`${name}: ${Math.round(said * 100)} %\n`);
  };
}

function folderOf({ models }: ModelsOptions, terminal: Terminal): string {
  return models ?? modelsFolder(terminal.env);
}
