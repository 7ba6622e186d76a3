import type { CatalogueModel } from '../../../src/domain/modelCatalogue.ts';

const URL = 'https://huggingface.co/ggerganov/whisper.cpp/resolve';
/** The commit of the files, so that the address stays that of these bytes. */
const REVISION = '5359861c739e955e79d9a303bcbc70fb988958b1';

const model = (name: string, sizeBytes: number, sha256: string): CatalogueModel<'text'> => ({
  name: `whisper-${name}`,
  file: `ggml-${name}.bin`,
  sizeBytes,
  sha256,
  modality: 'text',
  licence: 'MIT',
  origin: { kind: 'download', url: `${URL}/${REVISION}/ggml-${name}.bin` },
});

/**
 * Models of whisper.cpp for English, the better one first. Sizes and sha256 are those that several programs that pin these
 * files agree on; the files themselves were not at hand.
 */
export const WHISPER_MODELS: readonly CatalogueModel<'text'>[] = Object.freeze([
  model('base.en', 147_964_211, 'a03779c86df3323075f5e796cb2ce5029f00ec8869eee3fdfb897afe36c6d002'),
  model('tiny.en', 77_704_715, '921e4cf8686fdd993dcd081a5da5b6c365bfde1162e72b08d75ac75289920b1f'),
]);
