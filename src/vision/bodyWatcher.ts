import type { PoseLandmarkerResult } from '@mediapipe/tasks-vision';
import { BODY_COLUMNS, type BodyState, toBodyFrame } from '../features/body/bodyFrame.ts';
import { toUpperBody } from '../features/body/upperBody.ts';
import { toHands } from './hands.ts';
import type { VisionRuntime } from './visionRuntime.ts';
import { forgetAnswer, type Watcher } from './watcher.ts';

const VALID = BODY_COLUMNS.indexOf('valid');
const OPTIONS = { numPoses: 1 } as const;

/** Returns a watcher of bodies: `no_body` when both shoulders are not seen. Landmarks 0 to 10, the head's, are never read. */
export async function createBodyWatcher(runtime: VisionRuntime, model: Uint8Array): Promise<Watcher> {
  const task = await runtime.createTask<PoseLandmarkerResult>(
    ({ PoseLandmarker }, fileset, options) => PoseLandmarker.createFromOptions(fileset, { ...options, ...OPTIONS }),
    model,
  );
  let before: BodyState | undefined;
  return {
    see: (pixels, { clockMs, elapsedMs }) => {
      const answer = task.detectForVideo(pixels, clockMs);
      const [landmarks] = answer.landmarks;
      const joints = landmarks && toUpperBody(landmarks, pixels.width / pixels.height);
      const hands = landmarks ? toHands(landmarks) : [];
      forgetAnswer(answer);
      const { row, state } = toBodyFrame(joints, before, elapsedMs / 1_000);
      before = state;
      return { seen: row[VALID] === 1 ? row : 'no_body', hands };
    },
    close: () => task.close(),
  };
}
