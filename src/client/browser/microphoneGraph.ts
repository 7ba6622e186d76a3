import { createResampler, type Resampler } from '../../domain/resample.ts';
import { UndertoneError } from '../../errors.ts';

/** What brings the sound of a track to `onSamples`. */
export type MicrophoneGraph = {
  /** Hears this track from now on, and no other; nothing without one. */
  hear(track: MediaStreamTrack | undefined): void;
  close(): void;
};

/** In which context, by which worklet, and what for. */
export type MicrophoneGraphOptions = {
  /** A context of the page's, of any rate; one is made, and closed at the end, unless given. */
  readonly context: AudioContext | undefined;
  readonly workletUrl: string | URL | undefined;
  /** The rate that is wanted. */
  readonly rateHz: number;
  readonly onSamples: (samples: Float32Array) => void;
};

/** Opens a graph that hears nothing yet. @throws UndertoneError CAPTURE_FAILED */
export async function openMicrophoneGraph(options: MicrophoneGraphOptions): Promise<MicrophoneGraph> {
  const { context: given, rateHz, onSamples } = options;
  const context = given ?? new AudioContext();
  const release = (): void => {
    if (!given) void context.close();
  };
  try {
    await context.audioWorklet.addModule(options.workletUrl ?? new URL('./microphoneWorklet.js', import.meta.url));
  } catch (cause) {
    release();
    throw new UndertoneError('CAPTURE_FAILED', 'the worklet cannot be loaded; workletUrl says where it is', { cause });
  }
  const node = new AudioWorkletNode(context, 'undertone-microphone', { outputChannelCount: [1] });
  let resampler: Resampler = createResampler(context.sampleRate, rateHz);
  let source: MediaStreamAudioSourceNode | undefined;
  node.port.onmessage = ({ data }: MessageEvent<Float32Array>) => {
    node.port.postMessage('taken');
    const samples = resampler.process(data);
    if (samples.length > 0) onSamples(samples);
  };
  // Its output is silence; it is connected because what leads nowhere is not run.
  node.connect(context.destination);
  const hear: MicrophoneGraph['hear'] = (track) => {
    source?.disconnect();
    source = track && context.createMediaStreamSource(new MediaStream([track]));
    source?.connect(node);
    resampler = createResampler(context.sampleRate, rateHz);
    // A page may have to wait for a click before it is let; until then the server says that the stream stalls.
    if (track) void context.resume().catch(() => undefined);
  };
  const close = (): void => {
    hear(undefined);
    node.port.onmessage = null;
    node.disconnect();
    release();
  };
  return { hear, close };
}
