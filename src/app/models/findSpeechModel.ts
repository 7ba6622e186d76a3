import { join } from 'node:path';
import type { CatalogueModel } from '../../domain/modelCatalogue.ts';
import { UndertoneError } from '../../errors.ts';
import { modelsFolder, verifyModel } from './modelStore.ts';

/** A model of the catalogue: what a recognizer is given of it, as a path in the folder of the models, and its files. */
export type ModelChoice = { readonly path: string; readonly files: readonly CatalogueModel[] };

/**
 * Returns the path of a recognizer's model: what `variable` names, else the first choice whose files are all in the folder of the
 * models, whole and unchanged. What `variable` names is not looked at.
 * @throws UndertoneError RECOGNIZER_MISSING, about the first choice
 */
export async function findSpeechModel(
  variable: string,
  choices: readonly ModelChoice[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const named = env[variable] ?? '';
  if (named !== '') return named;
  const folder = modelsFolder(env);
  const faults: string[] = [];
  for (const choice of choices) {
    const fault = await faultOf(choice, folder);
    if (fault === undefined) return join(folder, choice.path);
    faults.push(fault);
  }
  throw new UndertoneError('RECOGNIZER_MISSING', `${faults[0]}, or let ${variable} name a model`);
}

async function faultOf({ files }: ModelChoice, folder: string): Promise<string | undefined> {
  for (const model of files) {
    const state = await verifyModel(model, folder);
    if (!state.isThere) return `${model.file}: ${state.reason}; get it by undertone models pull ${model.name}`;
  }
  return undefined;
}
