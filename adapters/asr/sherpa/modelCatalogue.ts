import type { CatalogueModel } from '../../../src/domain/modelCatalogue.ts';

/** Where the files of the model lie, in the folder of the models. */
export const SHERPA_FOLDER = 'sherpa-streaming-zipformer-en-20M';

const URL = 'https://huggingface.co/csukuangfj/sherpa-onnx-streaming-zipformer-en-20M-2023-02-17/resolve';
/** The commit of the files, so that the address stays that of these bytes. */
const REVISION = 'd42f2d9f7ca24806fb667456a18a9f1b60f70d16';

const file = (name: string, sizeBytes: number, sha256: string): CatalogueModel<'text'> => ({
  name: 'sherpa',
  file: `${SHERPA_FOLDER}/${name}`,
  sizeBytes,
  sha256,
  modality: 'text',
  licence: 'Apache-2.0',
  origin: { kind: 'download', url: `${URL}/${REVISION}/${name}` },
});

/**
 * A small streaming transducer for English, trained on LibriSpeech, as sherpa-onnx publishes it: encoder and joiner of 8 bits.
 * Sizes and sha256 are those that several programs that pin these files agree on; the files themselves were not at hand.
 */
export const SHERPA_MODELS: readonly CatalogueModel<'text'>[] = Object.freeze([
  file(
    'encoder-epoch-99-avg-1.int8.onnx',
    42_845_182,
    '3810755ce7c3ab26b42a8bcf39d191308fa27fb0f53358823ba46141d03b7eb3',
  ),
  file('decoder-epoch-99-avg-1.onnx', 2_092_272, '45a7f940ecfb53d89fa270ad11b88b961e53a317203eb24b1c8e95ed208b0f30'),
  file('joiner-epoch-99-avg-1.int8.onnx', 259_572, 'e085d73b593cf9b0707f370dbd656d58327d3fe36d80d849202ef81df02cb01e'),
  file('tokens.txt', 5_048, '49e3c2646595fd907228b3c6787069658f67b17377c60aeb8619c4551b2316fb'),
]);
