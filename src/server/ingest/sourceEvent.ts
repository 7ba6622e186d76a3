import type { Observation } from '../../domain/observation.ts';

/** What producers sent, decoded and in order of `arrivalMs`: observations, and media that somebody must still look at. */
export type SourceEvent = Observation | AudioHeard | PictureSeen;

/** A piece of sound of one stream: 16 kHz mono in [-1, 1], from `startMs` of the session clock. */
export type AudioHeard = {
  readonly type: 'audio';
  readonly arrivalMs: number;
  readonly streamId: string;
  readonly startMs: number;
  readonly samples: Float32Array;
};

/** A JPEG picture of a video stream, taken at `atMs` of the session clock. */
export type PictureSeen = {
  readonly type: 'picture';
  readonly arrivalMs: number;
  readonly streamId: string;
  readonly atMs: number;
  readonly jpeg: Uint8Array;
};

type WithoutArrival<T> = T extends unknown ? Omit<T, 'arrivalMs'> : never;

/** A source event before it is known when it arrives. `atMs`: when what it tells is over, on the session clock. */
export type TimedEvent = { readonly atMs: number; readonly event: WithoutArrival<SourceEvent> };
