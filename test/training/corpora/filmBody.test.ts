import { describe, expect, it } from 'vitest';
import { BODY_JOINTS, type BodyJoint } from '../../../src/features/body/upperBody.ts';
import { STANDING } from '../../../fixtures/tiny/standing.ts';
import { createRandom } from '../../../src/model/random.ts';
import { type BodyClip, CLIP_COLUMNS } from '../../../src/training/corpora/bodyClips.ts';
import { filmBody, type FilmedPicture } from '../../../src/training/corpora/filmBody.ts';

/** Someone who stands; `move` may change the columns of a frame. */
function clipOf(frames: number, move: (frame: number, set: (column: string, value: number) => void) => void): BodyClip {
  const motion = new Float32Array(frames * CLIP_COLUMNS.length);
  for (let frame = 0; frame < frames; frame++) {
    const row = motion.subarray(frame * CLIP_COLUMNS.length, (frame + 1) * CLIP_COLUMNS.length);
    row.set(Object.values(STANDING).flat());
    move(frame, (column, value) => (row[CLIP_COLUMNS.indexOf(column)] = value));
  }
  const labels = { content: 'stand', style: 'normal', batch: 0, emotion: undefined, activation: undefined };
  return { file: 'stand.bvh', ...labels, frames, motion };
}

const still = (frames: number): BodyClip => clipOf(frames, () => {});
const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);
const films = (clip: BodyClip): (readonly FilmedPicture[])[] => SEEDS.map((seed) => filmBody(clip, createRandom(seed)));
const seenShare = (all: readonly (readonly FilmedPicture[])[], joint: BodyJoint): number => {
  const bodies = all.flat().flatMap(({ joints }) => joints ?? []);
  return bodies.filter((joints) => joints[joint] !== undefined).length / bodies.length;
};
const durationOf = (film: readonly FilmedPicture[]): number => film.reduce((sum, { elapsedS }) => sum + elapsedS, 0);
const centreX = ({ joints }: FilmedPicture): number | undefined =>
  joints?.leftShoulder && joints.rightShoulder && (joints.leftShoulder.x + joints.rightShoulder.x) / 2;

describe('filmBody', () => {
  it('gives the same pictures for the same seed, and others for another.', () => {
    const clip = still(80);
    expect(filmBody(clip, createRandom(5))).toEqual(filmBody(clip, createRandom(5)));
    expect(filmBody(clip, createRandom(5))).not.toEqual(filmBody(clip, createRandom(6)));
  });

  it('cuts long clips to two to five seconds and keeps short ones whole.', () => {
    const lengths = films(still(200)).map(durationOf);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(5.001);
    expect(Math.min(...lengths)).toBeGreaterThan(1.6); // pictures lost at the very end do not count
    expect(Math.max(...lengths) - Math.min(...lengths)).toBeGreaterThan(2);
    for (const film of films(still(7))) {
      expect(film.length).toBeGreaterThan(0);
      expect(durationOf(film)).toBeLessThanOrEqual(0.701);
    }
  });

  it('cuts anywhere in a clip.', () => {
    // The arm is raised in the last second only: some films see it, some do not.
    const raised = films(
      clipOf(100, (frame, set) => {
        if (frame >= 90) set('elbow_L_y', -1);
        if (frame >= 90) set('elbow_R_y', -1);
      }),
    ).map((film) => film.some(({ joints }) => (joints?.leftElbow?.y ?? 9) < (joints?.leftShoulder?.y ?? 0)));
    expect(raised.filter(Boolean).length).toBeGreaterThan(20);
    expect(raised.filter((isRaised) => !isRaised).length).toBeGreaterThan(20);
  });

  it('sees hanging hands less often than elbows and hips least, because they leave the picture; shoulders stay.', () => {
    const all = films(still(60));
    const [shoulder, elbow, wrist, hip] = (['leftShoulder', 'leftElbow', 'leftWrist', 'leftHip'] as const).map(
      (joint) => seenShare(all, joint),
    );
    expect(shoulder).toBeGreaterThan(0.97);
    expect(elbow).toBeLessThan(shoulder!);
    expect(wrist).toBeLessThan(elbow! - 0.1);
    expect(hip).toBeLessThan(wrist!);
    expect(hip).toBeGreaterThan(0.1);
  });

  it('loses for a while even what is inside the picture: wrists twice as often as elbows, shoulders never.', () => {
    const folded = clipOf(60, (_, set) => {
      for (const side of ['L', 'R']) for (const joint of ['elbow', 'wrist']) set(`${joint}_${side}_y`, 0.1);
    });
    const all = films(folded);
    const lost = (joint: BodyJoint): number => 1 - seenShare(all, joint);
    expect(lost('leftShoulder')).toBeLessThan(0.01);
    expect(lost('leftElbow')).toBeGreaterThan(0.03);
    expect(lost('leftWrist')).toBeGreaterThan(1.4 * lost('leftElbow'));
    const runs = all.flatMap((film) =>
      film
        .map(({ joints }) => (joints === undefined || joints.leftElbow ? ' ' : 'x'))
        .join('')
        .match(/x+/g),
    );
    const lengths = runs.flatMap((run) => run?.length ?? []);
    const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
    expect(mean).toBeGreaterThan(2);
    expect(mean).toBeLessThan(5);
  });

  it('films from up to 35 degrees to either side.', () => {
    const yaws = films(still(60)).map((film) => {
      const turns = film.flatMap(({ joints }) =>
        joints?.leftShoulder && joints.rightShoulder
          ? [Math.atan2(joints.leftShoulder.z - joints.rightShoulder.z, joints.leftShoulder.x - joints.rightShoulder.x)]
          : [],
      );
      return (180 / Math.PI) * (turns.reduce((sum, turn) => sum + turn, 0) / turns.length);
    });
    expect(Math.max(...yaws)).toBeGreaterThan(28);
    expect(Math.min(...yaws)).toBeLessThan(-28);
    expect(Math.max(...yaws.map(Math.abs))).toBeLessThan(45);
  });

  it('lets errors of places last over pictures, as detectors that smooth do.', () => {
    const correlations = films(still(60)).flatMap((film) => {
      const heights = film.flatMap(({ joints }) => joints?.leftShoulder?.y ?? []);
      if (heights.length < 40) return [];
      const mean = heights.reduce((sum, height) => sum + height, 0) / heights.length;
      const errors = heights.map((height) => height - mean);
      const product = (lag: number): number => errors.slice(lag).reduce((sum, error, i) => sum + error * errors[i]!, 0);
      return [product(1) / product(0)];
    });
    const mean = correlations.reduce((sum, correlation) => sum + correlation, 0) / correlations.length;
    expect(mean).toBeGreaterThan(0.4); // 0.6, less what a short film, its lost pictures and its own mean take away
    expect(mean).toBeLessThan(0.7);
  });

  it('shows only what is inside the picture or just outside it.', () => {
    for (const film of films(still(60)))
      for (const { joints } of film)
        for (const joint of BODY_JOINTS) {
          const place = joints?.[joint];
          if (!place) continue;
          expect(place.x).toBeGreaterThanOrEqual(-0.05);
          expect(place.x).toBeLessThanOrEqual(16 / 9 + 0.05);
          expect(place.y).toBeGreaterThanOrEqual(-0.05);
          expect(place.y).toBeLessThanOrEqual(1.05);
        }
  });

  it('sometimes loses a picture, then more time has passed, and sometimes finds nobody.', () => {
    const pictures = films(still(60)).flat();
    const gaps = new Set(pictures.map(({ elapsedS }) => Math.round(10 * elapsedS)));
    expect(gaps.has(1) && gaps.has(2) && !gaps.has(0)).toBe(true);
    const nobody = pictures.filter(({ joints }) => joints === undefined).length / pictures.length;
    expect(nobody).toBeGreaterThan(0.01);
    expect(nobody).toBeLessThan(0.05);
  });

  it('films both sides alike: half of the films are mirrored.', () => {
    // Only the left arm is raised. Mirrored, it is the right one.
    const raised = films(clipOf(40, (_, set) => set('elbow_L_y', -1))).map((film) => {
      const heights = film.flatMap(({ joints }) =>
        joints?.leftElbow && joints.rightElbow ? [joints.leftElbow.y - joints.rightElbow.y] : [],
      );
      return heights.reduce((sum, height) => sum + height, 0);
    });
    const left = raised.filter((height) => height < 0).length / raised.filter((height) => height !== 0).length;
    expect(left).toBeGreaterThan(0.4);
    expect(left).toBeLessThan(0.6);
  });

  it('keeps left on the right of the picture: it is never a mirrored picture of a person seen from behind.', () => {
    for (const film of films(still(40)))
      for (const { joints } of film)
        if (joints?.leftShoulder && joints.rightShoulder)
          expect(joints.leftShoulder.x).toBeGreaterThan(joints.rightShoulder.x);
  });

  it('follows someone who walks at an even pace, but not a sway.', () => {
    const spread = (clip: BodyClip): number => {
      const spreads = films(clip).map((film) => {
        const places = film.flatMap((picture) => centreX(picture) ?? []);
        return places.length < 0.8 * film.length ? Infinity : Math.max(...places) - Math.min(...places);
      });
      return spreads.toSorted((a, b) => a - b)[spreads.length / 2]!;
    };
    const [rest, walk, sway] = [
      spread(still(200)),
      // 0.2 shoulder widths per frame; the window of the mean is shorter at both ends of a clip, so look at its middle.
      spread(clipOf(200, (frame, set) => set('root_x', 0.2 * Math.min(Math.max(frame, 10), 190)))),
      spread(clipOf(200, (frame, set) => set('root_x', 0.3 * Math.sin(frame)))),
    ];
    expect(walk).toBeLessThan(4 * rest);
    expect(sway).toBeGreaterThan(4 * rest);
  });

  it('makes a hand that is held towards the camera larger in reach than one held back.', () => {
    const reach = (depth: number): number => {
      const clip = clipOf(40, (_, set) => {
        for (const side of ['L', 'R']) {
          set(`wrist_${side}_y`, -0.5);
          set(`wrist_${side}_z`, depth);
        }
      });
      const widths = films(clip).flatMap((film) =>
        film.flatMap(({ joints }) =>
          joints?.leftWrist && joints.rightWrist && joints.leftShoulder && joints.rightShoulder
            ? [
                Math.hypot(joints.leftWrist.x - joints.rightWrist.x, joints.leftWrist.y - joints.rightWrist.y) /
                  Math.hypot(
                    joints.leftShoulder.x - joints.rightShoulder.x,
                    joints.leftShoulder.y - joints.rightShoulder.y,
                  ),
              ]
            : [],
        ),
      );
      return widths.reduce((sum, width) => sum + width, 0) / widths.length;
    };
    expect(reach(-1)).toBeGreaterThan(1.2 * reach(1));
  });
});
