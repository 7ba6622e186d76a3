import type { VoiceActivity } from '../../src/domain/observation.ts';
import type { Timers } from '../../src/app/transcribe/timers.ts';
import { spoken } from './fakeRecognizer.ts';

/** The voice of {@link spoken} words from `fromMs` on, in blocks of 50 ms, arriving as they end; 0 is a pause. */
export function voiceOf(words: readonly number[], streamId = 'audio', fromMs = 0): VoiceActivity[] {
  const sound = spoken(words);
  const blocks: VoiceActivity[] = [];
  for (let at = 0; at < sound.length; at += 800) {
    const samples = sound.slice(at, at + 800);
    const startMs = fromMs + at / 16;
    const speech = Float32Array.of((samples[0] ?? 0) > 0 ? 0.9 : 0);
    const times = { arrivalMs: startMs + 50, startMs, speechStartMs: startMs, frameMs: 50 };
    blocks.push({ type: 'voice', streamId, samples, speech, ...times });
  }
  return blocks;
}

/** Timers that run out when a test says so. */
export type HandTimers = Timers & { readonly runOut: () => void; readonly pending: () => number };

/** Makes {@link HandTimers} of which none has run out. */
export function handTimers(): HandTimers {
  const waiting = new Set<() => void>();
  return {
    after: (_, callback) => {
      waiting.add(callback);
      return () => void waiting.delete(callback);
    },
    runOut: () => {
      const due = [...waiting];
      waiting.clear();
      for (const callback of due) callback();
    },
    pending: () => waiting.size,
  };
}
