import { captureCamera, captureMicrophone } from '../../../../src/client/browser/capture.ts';
import type { Camera, Microphone } from '../../../../src/client/browser/capture.ts';
import type {
  LandmarkModality,
  LandmarkSighting,
  LandmarkSourceOptions,
} from '../../../../src/client/browser/landmarkSource.ts';
import { connect, isUndertoneError, type Producer } from '../../../../src/client/connect.ts';
import type { Modality } from '../../../../src/domain/modality.ts';

/** What became of the devices of this page. */
export type DeviceLog = {
  readonly asked: MediaStreamConstraints[];
  readonly states: string[];
  readonly faults: string[];
  /** Each source of landmarks that was made: what for, and whether it is closed. */
  readonly sources: { readonly modalities: readonly LandmarkModality[]; isClosed: boolean; looksAt: number }[];
};

const FORMAT = { encoding: 'pcm16', sampleRateHz: 16_000, channels: 1 } as const;
const log: DeviceLog = { asked: [], states: [], faults: [], sources: [] };
const tracks: MediaStreamTrack[] = [];
/** What the browser says instead of giving a device; nothing when it gives one. */
let refusal: string | undefined;
let sourceFails = false;
let see: ((sightings: readonly LandmarkSighting[]) => void) | undefined;
let producer: Producer | undefined;
let microphone: Microphone | undefined;
let camera: Camera | undefined;

const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (constraints = {}) => {
  log.asked.push(constraints);
  if (refusal !== undefined) throw new DOMException('as the test says', refusal);
  const stream = await ask(constraints);
  tracks.push(...stream.getTracks());
  return stream;
};

/** A source whose pictures are those of the test. */
const createSource = async ({ modalities, onSightings }: LandmarkSourceOptions) => {
  if (sourceFails) throw new Error('as the test says');
  const own = { modalities, isClosed: false, looksAt: 0 };
  log.sources.push(own);
  see = onSightings;
  return {
    start: () => void own.looksAt++,
    stop: () => undefined,
    close: () => void (own.isClosed = true),
  };
};

const codeOf = async (started: Promise<unknown>): Promise<string> =>
  started.then(
    () => 'started',
    (error: unknown) => (isUndertoneError(error) ? error.code : String(error)),
  );

/** What tests call in the page, by `capturePage.…`. */
const capturePage = {
  connect: async (url: string): Promise<void> => {
    producer = connect({
      url,
      participant: { id: 'ada', name: 'Ada' },
      streams: [
        { streamId: 'mic', kind: 'audio', format: FORMAT },
        { streamId: 'face', kind: 'face' },
        { streamId: 'body', kind: 'body' },
      ],
    }).producer;
    await producer.ready();
  },
  /** Returns `started`, or the code of the error. */
  startMicrophone: (contextHz?: number, workletUrl = '/microphoneWorklet.js'): Promise<string> =>
    codeOf(
      captureMicrophone(producer as Producer, 'mic', {
        workletUrl,
        constraints: { echoCancellation: false, noiseSuppression: false },
        ...(contextHz !== undefined && { context: new AudioContext({ sampleRate: contextHz }) }),
        onChange: (state) => log.states.push(state),
      }).then((started) => (microphone = started)),
    ),
  startCamera: (models: Partial<Record<LandmarkModality, string>>): Promise<string> =>
    codeOf(
      captureCamera(
        producer as Producer,
        { face: 'face', body: 'body' },
        {
          assets: { wasmUrl: '/wasm/', models },
          createSource,
          onChange: (state) => log.states.push(state),
          onFault: ({ code }) => log.faults.push(code),
        },
      ).then((started) => (camera = started)),
    ),
  see: (sightings: readonly { modality: LandmarkModality; row?: number; reason?: string }[]): void =>
    see?.(
      sightings.map(({ modality, row, reason }) => ({
        modality,
        atMs: performance.now(),
        ...(row === undefined ? { reason } : { row: new Float32Array(modality === 'face' ? 52 : 28).fill(row) }),
      })) as unknown as LandmarkSighting[],
    ),
  consent: (modalities: readonly Modality[]): void => producer?.setConsent('ada', modalities),
  microphone: (what: 'mute' | 'unmute' | 'stop'): void => microphone?.[what](),
  camera: async (what: 'on' | 'off' | 'stop'): Promise<void> => camera?.[what](),
  close: (): void => producer?.close(),
  /** From now on the browser gives no device, and says this. */
  refuse: (name: string | undefined): void => void (refusal = name),
  failSources: (isFailing: boolean): void => void (sourceFails = isFailing),
  /** The browser tells this of the device that was given last. */
  tellOfDevice: (event: 'mute' | 'unmute' | 'ended'): void => {
    const track = tracks.at(-1);
    if (event === 'ended') track?.stop();
    track?.dispatchEvent(new Event(event));
  },
  devicesChange: (): void => void navigator.mediaDevices.dispatchEvent(new Event('devicechange')),
  /** Whether each device that was given is still in use. */
  inUse: (): boolean[] => tracks.map(({ readyState }) => readyState === 'live'),
  log: (): DeviceLog => log,
};
declare global {
  var capturePage: CapturePage;
}
/** What tests call in the page. */
export type CapturePage = typeof capturePage;
globalThis.capturePage = capturePage;
