import type { Modality } from './modality.ts';

/** A model file, and what it must be. `file` is its path in the folder of the models. */
export type ModelFile = { readonly file: string; readonly sizeBytes: number; readonly sha256: string };

/** How a model file is got: from a server, or put together from an installed package. */
export type ModelOrigin =
  | { readonly kind: 'download'; readonly url: string }
  | { readonly kind: 'build'; readonly from: string; build(): Promise<Uint8Array> };

/** A file of the catalogue. `name` is the model it belongs to, which may have several; `modality` what is read with it. */
export type CatalogueModel<Reads extends Modality = Modality> = ModelFile & {
  readonly name: string;
  readonly modality: Reads;
  readonly licence: string;
  readonly origin: ModelOrigin;
};
