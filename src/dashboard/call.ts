import {
  captureCamera,
  captureMicrophone,
  type Camera,
  type CaptureState,
  type LandmarkAssets,
  type Microphone,
} from '../client/browser/capture.ts';
import { connect, type Consumer, type EndpointOptions, type Producer } from '../client/connect.ts';
import type { Modality } from '../domain/modality.ts';
import type { Purpose } from '../protocol/live.ts';
import { beginSession, type PageSession, watchSession } from './session.ts';

/** Who joins, what for, and what may be analyzed of them. */
export type Joining = { readonly name: string; readonly purpose: Purpose; readonly consent: readonly Modality[] };

/** Who is told of devices. */
export type CallOptions = {
  readonly assets: LandmarkAssets;
  readonly onMicrophone: (state: CaptureState) => void;
  readonly onCamera: (state: CaptureState) => void;
  readonly onTrack: (track: MediaStreamTrack | undefined) => void;
  readonly onFault: (code: string) => void;
};

/** One's own part of a call, and what is said about it. */
export type Call = {
  readonly producer: Producer;
  readonly consumer: Consumer;
  /** Opens, unmutes or mutes the microphone. @throws UndertoneError CAPTURE_REFUSED, CAPTURE_FAILED */
  setMicrophone(isOn: boolean): Promise<void>;
  /** Opens the camera, or lets go of it. @throws UndertoneError CAPTURE_REFUSED, CAPTURE_FAILED */
  setCamera(isOn: boolean): Promise<void>;
  setConsent(consent: readonly Modality[]): void;
  /** Sends what was said, in writing; `said` is when, a few seconds ago unless given. */
  write(text: string, said?: { readonly startMs: number; readonly endMs: number }): void;
  leave(): Promise<void>;
};

const ME = 'me';
const FORMAT = { encoding: 'pcm16', sampleRateHz: 16_000, channels: 1 } as const;
/** What is written was said within so long, and after what was written before. */
const WRITTEN_MS = 4_000;

/** Begins a session and joins it. @throws Error with what the server says when it refuses. */
export async function joinCall({ name, purpose, consent }: Joining, options: CallOptions): Promise<Call> {
  const { producer, consumer } = connect({
    ...endpointOf(await beginSession(purpose, ME)),
    purpose,
    client: 'undertone page',
    participant: { id: ME, name, consent },
    streams: [{ streamId: 'words', kind: 'captions' }],
    consume: true,
  });
  let microphone: Microphone | undefined;
  let camera: Camera | undefined;
  let writtenMs = 0;
  return {
    producer,
    consumer,
    setMicrophone: async (isOn) => {
      if (!isOn) return microphone?.mute();
      if (microphone) return microphone.unmute();
      openOnce(producer, { streamId: 'mic', kind: 'audio', format: FORMAT });
      microphone = await captureMicrophone(producer, 'mic', { onChange: options.onMicrophone });
    },
    setCamera: async (isOn) => {
      if (!isOn) return camera?.off();
      if (camera) return camera.on();
      for (const kind of ['face', 'body'] as const) openOnce(producer, { streamId: kind, kind });
      const { assets, onCamera: onChange, onTrack, onFault } = options;
      const callbacks = { onChange, onTrack, onFault: ({ code }: { readonly code: string }) => onFault(code) };
      camera = await captureCamera(producer, { face: 'face', body: 'body' }, { assets, ...callbacks });
    },
    setConsent: (modalities) => producer.setConsent(ME, modalities),
    write: (text, said) => {
      const nowMs = producer.mediaMs;
      const { startMs, endMs } = said ?? { startMs: Math.max(0, writtenMs, nowMs - WRITTEN_MS), endMs: nowMs };
      writtenMs = endMs;
      producer.sendTranscript('words', { isFinal: true, startMs, endMs, text });
    },
    leave: () => producer.bye(),
  };
}

/** Reads what is said about a session of others. */
export function watchCall(session: string): Consumer {
  return connect(endpointOf(watchSession(session))).consumer;
}

function endpointOf(of: PageSession): EndpointOptions {
  return { url: location.origin.replace(/^http/, 'ws'), session: of.session, token: (role) => of.token(role) };
}

/** A device that was refused leaves its stream open, for the next try. */
function openOnce(producer: Producer, stream: Parameters<Producer['openStream']>[0]): void {
  try {
    producer.stream(stream.streamId);
  } catch {
    producer.openStream(stream);
  }
}
