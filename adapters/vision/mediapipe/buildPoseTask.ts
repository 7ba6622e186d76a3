import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { storedZip } from './storedZip.ts';
import { imageMetadata, withMetadata } from './tfliteMetadata.ts';

/**
 * Returns the pose landmarker (lite) as MediaPipe's tasks read it, put together from the files of the npm package
 * `@mediapipe/pose`: detector and landmarks, each with the metadata that it lacks there. Same package, same bytes.
 */
export async function buildPoseTask(): Promise<Uint8Array> {
  const folder = dirname(createRequire(import.meta.url).resolve('@mediapipe/pose/package.json'));
  const detector = await readFile(join(folder, 'pose_solution_packed_assets.data'));
  const landmarks = await readFile(join(folder, 'pose_landmark_lite.tflite'));
  return storedZip([
    {
      name: 'pose_detector.tflite',
      content: withMetadata(detector, imageMetadata({ name: 'PoseDetector', mean: 127.5, deviation: 127.5 })),
    },
    {
      name: 'pose_landmarks_detector.tflite',
      content: withMetadata(landmarks, imageMetadata({ name: 'PoseLandmarks', mean: 0, deviation: 255 })),
    },
  ]);
}
