import type { MediaReader, VideoSelection } from '../../adapter.ts';
import type { Observation, VisualFrame } from '../../domain/observation.ts';
import { isUndertoneError } from '../../errors.ts';
import type { Looking } from '../models/openLooking.ts';
import type { VideoInput } from './inputs.ts';
import type { Moment } from './timeline.ts';

const PICTURES_PER_S = 10;
/** The size that pictures are looked at in; larger ones show nothing more, and a face below a fifth of the height is lost. */
const MAX_WIDTH = 640;
const MAX_HEIGHT = 360;

/**
 * Yields what is seen in the pictures of a video, 10 a second, each one looked at, in order: the next one is decoded when
 * the one before was looked at. Pictures arrive when they are shown. A video that breaks off ends here; that it did is
 * said by whoever watches its camera.
 */
export async function* seePictures(input: VideoInput, reader: MediaReader, looking: Looking): AsyncGenerator<Moment> {
  const { streamId, path } = input;
  const faults: { readonly code: string; readonly message: string }[] = [];
  const stream = await looking.extractor.open({
    modalities: looking.modalities,
    onFault: ({ code, message }) => faults.push({ code, message }),
  });
  try {
    for await (const { atMs, width, height, pixels } of reader.decodeVideo(path, selectionOf(input))) {
      const sightings = await stream.examine({ atMs, width, height, rgba: pixels });
      const said: Observation[] = faults
        .splice(0)
        .map((fault) => ({ type: 'fault', arrivalMs: atMs, streamId, ...fault }));
      const seen = sightings.map((sighting): VisualFrame => ({
        type: 'visual',
        arrivalMs: atMs,
        streamId,
        ...sighting,
        atMs,
      }));
      yield { atMs, observations: [...said, ...seen] };
    }
  } catch (error) {
    if (!isUndertoneError(error) || error.code !== 'DECODE_ERROR') throw error;
  } finally {
    stream.close();
  }
}

/** The whole picture or its tile in its own shape, no larger than is looked at, and never enlarged. */
function selectionOf({ area, size }: VideoInput): VideoSelection {
  const shape = area ?? size ?? { width: MAX_WIDTH, height: MAX_HEIGHT };
  const scale = Math.min(1, MAX_WIDTH / shape.width, MAX_HEIGHT / shape.height);
  const even = (pixels: number): number => Math.max(2, 2 * Math.round((pixels * scale) / 2));
  return {
    framesPerSecond: PICTURES_PER_S,
    width: even(shape.width),
    height: even(shape.height),
    format: 'rgba',
    ...(area && { area }),
  };
}
