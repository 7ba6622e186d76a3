import { createSileroDetector } from '../adapters/vad/silero/createSileroDetector.ts';
import { SILERO_RUNTIMES } from '../adapters/vad/silero/sileroRuntime.ts';
import { voiceLike } from '../test/contracts/voiceActivityDetector.ts';

const SECONDS = 60;
const BLOCK = 1_600;

/** Prints what voice activity detection costs in blocks of 100 ms: ms per second of sound and times real time. */
export async function benchVad(): Promise<void> {
  const voice = voiceLike(SECONDS);
  const silence = new Float32Array(voice.length);
  for (const name of SILERO_RUNTIMES) {
    const loading = performance.now();
    const detector = await createSileroDetector({ runtimes: [name] });
    console.log(`${detector.name}, loaded in ${(performance.now() - loading).toFixed(0)} ms`);
    for (const [what, sound, streams] of [
      ['one stream, voice', voice, 1],
      ['eight streams at once, voice', voice.subarray(0, voice.length / 8), 8],
      ['one stream, silence', silence, 1],
    ] as const) {
      const run = (): Promise<void[]> =>
        Promise.all(
          Array.from({ length: streams }, async () => {
            const stream = detector.open();
            for (let at = 0; at < sound.length; at += BLOCK) await stream.process(sound.subarray(at, at + BLOCK));
          }),
        );
      await run();
      const start = performance.now();
      await run();
      const perSecond = (performance.now() - start) / ((sound.length * streams) / 16_000);
      console.log(`  ${what.padEnd(40)} ${perSecond.toFixed(2)} ms/s, ${Math.round(1_000 / perSecond)} × real time`);
    }
    await detector.close();
  }
}

if (process.argv[1]?.includes('vad')) await benchVad();
