/** The parts `undertone doctor` looks at, in the order of the report. */
export const COMPONENTS = [
  'ffmpeg',
  'vad',
  'backend',
  'trainingBackend',
  'weights',
  'faceModel',
  'bodyModel',
  'vision',
  'recognizers',
  'captions',
  'rttm',
  'privacy',
] as const;
/** One part of {@link COMPONENTS}. */
export type Component = (typeof COMPONENTS)[number];

/** What is said of a part whatever is found: its name, whether the main job needs it, what is lost without it, how to get it. */
export type ComponentFacts = {
  readonly title: string;
  readonly isRequired: boolean;
  readonly withoutIt: string;
  readonly howToGet: string;
};

/** The facts about every part. The main job is: a recording in, emotions of its utterances out. */
export const COMPONENT_FACTS: Readonly<Record<Component, ComponentFacts>> = {
  ffmpeg: {
    title: 'ffmpeg',
    isRequired: true,
    withoutIt: 'no recording can be opened',
    howToGet: 'run npm ci (it brings @ffmpeg-installer/ffmpeg), or set FFMPEG_PATH to an ffmpeg binary',
  },
  vad: {
    title: 'voice activity model',
    isRequired: true,
    withoutIt: 'speech cannot be told from silence, so there are no utterances',
    howToGet: 'run npm ci (it brings @ricky0123/vad-web and onnxruntime)',
  },
  backend: {
    title: 'tensor backend',
    isRequired: true,
    withoutIt: 'the emotion model cannot run',
    howToGet: 'run npm ci (it brings @tensorflow/tfjs-backend-wasm and -cpu)',
  },
  trainingBackend: {
    title: 'training backend',
    isRequired: false,
    withoutIt: 'undertone train may be slower than this machine allows; recordings are analyzed all the same',
    howToGet: 'npm i webgpu @tensorflow/tfjs-backend-webgpu for any GPU, or npm i @tensorflow/tfjs-node-gpu for CUDA',
  },
  weights: {
    title: 'emotion weights',
    isRequired: true,
    withoutIt: 'there is no emotion model to run',
    howToGet: 'reinstall undertone, which carries them, or name a weights file',
  },
  faceModel: {
    title: 'face model',
    isRequired: false,
    withoutIt: 'faces are not analyzed',
    howToGet: 'run undertone models pull face, or put face_landmarker.task into the folder named by UNDERTONE_MODELS',
  },
  bodyModel: {
    title: 'body model',
    isRequired: false,
    withoutIt: 'bodies are not analyzed',
    howToGet: 'run npm ci (it brings @mediapipe/pose, of which the model is built), or undertone models pull pose',
  },
  vision: {
    title: 'picture reader',
    isRequired: false,
    withoutIt: 'neither faces nor bodies are analyzed',
    howToGet: 'run npm ci (it brings @mediapipe/tasks-vision)',
  },
  recognizers: {
    title: 'speech recognizers',
    isRequired: false,
    withoutIt: 'text comes from captions only; without captions the voice alone is analyzed',
    howToGet: 'give a captions file, or install a recognizer (docs/recognizers.md)',
  },
  captions: {
    title: 'captions reader',
    isRequired: false,
    withoutIt: 'no text is analyzed',
    howToGet: 'reinstall undertone, which carries it',
  },
  rttm: {
    title: 'RTTM reader',
    isRequired: false,
    withoutIt: 'speakers on a mixed channel are unknown unless captions name them',
    howToGet: 'reinstall undertone, which carries it',
  },
  privacy: {
    title: 'privacy mode',
    isRequired: false,
    withoutIt: 'undertone serve does not start with this configuration',
    howToGet: 'mend the file (docs/security.md), or give the path of another one to doctor --config',
  },
};
