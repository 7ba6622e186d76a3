import { type PoseLandmark, SEEN_VISIBILITY } from '../features/body/upperBody.ts';

/** Where the first knuckle of an index finger is, from the top left of the picture, in shares of its width and height. */
export type Hand = { readonly x: number; readonly y: number };
/** The rectangle around a face, in shares of the picture's width and height. */
export type FaceArea = { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number };

/** The landmarks 19 and 20 of a pose. */
const INDEX_KNUCKLES = [19, 20];
/**
 * A knuckle this far outside of the face, in widths and heights of the face, still has its fingers on it. Measured on a drawn
 * figure: a hand on mouth, nose, eyes or forehead is within 0.04, one that holds up the chin at 0.13, one on an ear at 0.3.
 */
const REACH = 0.08;

/** Returns the hands of one pose that are seen, at most two. */
export function toHands(landmarks: readonly PoseLandmark[]): readonly Hand[] {
  return INDEX_KNUCKLES.flatMap((at) => {
    const { x, y, visibility = 0 } = landmarks[at] ?? { x: NaN, y: NaN };
    return visibility >= SEEN_VISIBILITY && Number.isFinite(x) && Number.isFinite(y) ? [{ x, y }] : [];
  });
}

/** Returns whether one of the hands lies on the face, so that what is seen of the face is partly made up. */
export function isCovered({ left, right, top, bottom }: FaceArea, hands: readonly Hand[]): boolean {
  const [besides, above] = [(right - left) * REACH, (bottom - top) * REACH];
  return hands.some(
    ({ x, y }) => x >= left - besides && x <= right + besides && y >= top - above && y <= bottom + above,
  );
}
