import { SHERPA_MODELS } from '../../../adapters/asr/sherpa/modelCatalogue.ts';
import { WHISPER_MODELS } from '../../../adapters/asr/whisper/modelCatalogue.ts';
import { MODEL_CATALOGUE } from '../../../adapters/vision/mediapipe/modelCatalogue.ts';
import type { CatalogueModel } from '../../domain/modelCatalogue.ts';

/** The files of all models that `undertone models` knows: of pictures, then of speech. */
export const ALL_MODELS: readonly CatalogueModel[] = [...MODEL_CATALOGUE, ...SHERPA_MODELS, ...WHISPER_MODELS];

/** What `models pull` gets without names: what `--vision on` needs. Models of speech are large, and few need several. */
export const PULLED_UNASKED: ReadonlySet<string> = new Set(MODEL_CATALOGUE.map(({ name }) => name));

/** The names of models, each once. */
export const MODEL_NAMES: readonly string[] = [...new Set(ALL_MODELS.map(({ name }) => name))];
