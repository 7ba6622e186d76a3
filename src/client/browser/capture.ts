export { CAMERA_CONSTRAINTS, captureCamera } from './captureCamera.ts';
export type { Camera, CameraOptions, LandmarkStreams } from './captureCamera.ts';
export { captureMicrophone, MICROPHONE_CONSTRAINTS } from './captureMicrophone.ts';
export type { Microphone, MicrophoneOptions } from './captureMicrophone.ts';
export type { CaptureState } from './captureState.ts';
export type {
  CreateLandmarkSource,
  LandmarkAssets,
  LandmarkModality,
  LandmarkSighting,
  LandmarkSource,
  LandmarkSourceOptions,
} from './landmarkSource.ts';
