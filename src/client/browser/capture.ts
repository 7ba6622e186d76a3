export type {
  CreateLandmarkSource,
  LandmarkAssets,
  LandmarkModality,
  LandmarkSighting,
  LandmarkSource,
  LandmarkSourceOptions,
} from './landmarkSource.ts';
