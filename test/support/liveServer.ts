import { analyzeConversation } from '../../pipelines/conversation.ts';
import type { VoiceActivityDetector } from '../../src/adapter.ts';
import type { LiveTranscription } from '../../src/app/serve/analyzeLive.ts';
import { createLiveListener } from '../../src/app/serve/listenLive.ts';
import { takeInOrder } from '../../src/app/serve/takeInOrder.ts';
import { WALL_TIMERS } from '../../src/app/transcribe/timers.ts';
import { transcribeLive } from '../../src/app/transcribe/transcribeLive.ts';
import { parseServerConfig } from '../../src/config.ts';
import type { StreamDeclaration } from '../../src/protocol/live.ts';
import { type LiveServer, type LiveServerDeps, startLiveServer } from '../../src/server/liveServer.ts';
import type { Analyze } from '../../src/server/session.ts';
import { createFakeModel } from './fakeModel.ts';

/** A detector that hears speech in whatever is louder than `level`: frames of 32 ms, as Silero's. */
export function loudnessDetector(level = 0.1): VoiceActivityDetector {
  return {
    name: 'loudness',
    open: () => {
      let held: number[] = [];
      return {
        frameMs: 32,
        process: async (samples) => {
          held.push(...samples);
          const frames = Math.floor(held.length / 512);
          const speech = Float32Array.from({ length: frames }, (_, i) =>
            Math.max(...held.slice(512 * i, 512 * (i + 1)).map(Math.abs)) > level ? 1 : 0,
          );
          held = held.slice(512 * frames);
          return speech;
        },
        close: () => undefined,
      };
    },
    close: async () => undefined,
  };
}

/** Recognizers, when speech is to become text, and what counts as loud. */
export type FakeAnalysis = { readonly transcription?: LiveTranscription; readonly level?: number };

/** The pipeline of the product over a detector and a model that are plain arithmetic; with recognizers when given. */
export function fakeAnalysis({ transcription, level }: FakeAnalysis = {}): Analyze {
  return (events$, onTaken) => {
    const listener = createLiveListener(loudnessDetector(level));
    const observations$ = events$.pipe(takeInOrder((event) => listener.take(event), onTaken));
    const features = {
      prosody: (samples: Float32Array) => Float32Array.of(0, samples.length / 16_000),
      segments: () => ({ data: new Float32Array(0) }),
    };
    const deps = { model: createFakeModel(), weights: 'fake', backend: 'none', now: () => 0, features };
    const heard$ = transcription
      ? transcribeLive(observations$, { ...transcription, timers: WALL_TIMERS })
      : observations$;
    return analyzeConversation(heard$, deps);
  };
}

/** Starts a server on a free port of this machine, with whatever its configuration is to be. */
export async function startTestServer(config: unknown = {}, deps: Partial<LiveServerDeps> = {}): Promise<LiveServer> {
  const defaults = {
    analyze: fakeAnalysis(),
    createOpus: async () => Promise.reject(new Error('no Opus in this test')),
    now: () => performance.now(),
    version: '0.0.0',
    maxAheadMs: Infinity,
  };
  return startLiveServer(parseServerConfig(config), { ...defaults, ...deps }, { host: '127.0.0.1', port: 0 });
}

export const PCM = { encoding: 'pcm16', sampleRateHz: 16_000, channels: 1 } as const;
export const FRAME_MS = 20;

/** A frame of PCM16, loud or silent. */
export function pcmFrame(isLoud: boolean): Uint8Array {
  const samples = Int16Array.from({ length: 16 * FRAME_MS }, (_, i) => (isLoud ? 10_000 * Math.sin(i / 4) : 0));
  return new Uint8Array(samples.buffer);
}

/** Streams of a microphone and of captions of one participant. */
export function streamsOf(participant: string, number = 0): readonly StreamDeclaration[] {
  return [
    { streamId: `mic-${participant}`, number, participant, kind: 'audio', format: PCM },
    { streamId: `words-${participant}`, number: number + 1, participant, kind: 'captions' },
  ];
}
