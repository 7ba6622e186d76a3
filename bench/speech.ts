import { lookup } from 'node:dns/promises';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { from, lastValueFrom } from 'rxjs';
import type { AudioBlock, Recognizer, VoiceActivityDetector } from '../src/adapter.ts';
import { ADAPTERS } from '../src/app/adapters.ts';
import { packageRoot } from '../src/app/packageRoot.ts';
import { createGate } from '../src/app/transcribe/gate.ts';
import { WALL_TIMERS } from '../src/app/transcribe/timers.ts';
import { createTranscription } from '../src/app/transcribe/transcription.ts';
import type { Observation, VoiceActivity } from '../src/domain/observation.ts';
import { alignTranscripts, DEFAULT_ALIGNMENT } from '../src/operators/alignTranscripts.ts';
import { DEFAULT_ENDPOINTING } from '../src/operators/endpointer.ts';
import { endpointing } from '../src/operators/endpointing.ts';
import { toUtterances } from '../src/operators/toUtterances.ts';
import { median } from './command.ts';

const CALL = join(packageRoot(), 'fixtures', 'call');
const LIVE_MS = 30_000;
const POOL_MS = 5_000;
const ROUNDS = 10;
const VAD_ROUNDS = 3;

/** Prints what it costs to find speech and its words in a call, and what PocketSphinx costs and how long it takes. */
export async function benchSpeech(): Promise<void> {
  const { voices, vadMs, firstVadMs } = await listen();
  const seconds = (voices.at(-1)?.arrivalMs ?? 0) / 1_000;
  const { transcripts } = await ADAPTERS.captions(await readFile(join(CALL, 'captions.vtt')), 'captions');
  const observations: Observation[] = [...voices, ...transcripts].sort((a, b) => a.arrivalMs - b.arrivalMs);
  const align = async (): Promise<void> => {
    const gate = createGate();
    for (const voice of voices) gate.hear(voice);
    const aligned$ = from(observations).pipe(
      endpointing(DEFAULT_ENDPOINTING, false),
      toUtterances(false),
      alignTranscripts(DEFAULT_ALIGNMENT, false),
    );
    await lastValueFrom(aligned$);
  };
  const firstMs = await cpuMs(align);
  const alignMs = (await cpuMs(() => repeat(ROUNDS, align))) / ROUNDS;
  console.log(`speech of one stream, CPU ms per second of sound (${seconds.toFixed(0)} s of the bundled call)`);
  const perSecond = (ms: number): string => (ms / seconds).toFixed(2);
  const row = (what: string, ms: number, first: number, more = ''): void =>
    console.log(`  ${what.padEnd(41)} ${perSecond(ms)} (${perSecond(first)} the first time${more})`);
  row('voice activity', vadMs, firstVadMs);
  row('gate, segmentation and alignment of words', alignMs, firstMs);
  row('together', vadMs + alignMs, firstVadMs + firstMs, '; goal: 6');
  const recognizer = await ADAPTERS.recognizers['pocketsphinx']?.({}).catch(() => undefined);
  if (recognizer === undefined) return console.log('  pocketsphinx is not installed');
  await benchRecognizer(recognizer, voices, seconds);
  await recognizer.close();
}

async function benchRecognizer(recognizer: Recognizer, voices: readonly VoiceActivity[], seconds: number) {
  const options = { recognizers: [recognizer], timers: WALL_TIMERS };
  const spentMs = await cpuMs(async () => {
    const transcription = createTranscription(options);
    for (const voice of voices) {
      transcription.hear(voice);
      await transcription.settle();
    }
    await transcription.end();
    transcription.close();
  });
  const perSecond = spentMs / seconds;
  console.log(`  pocketsphinx                              ${perSecond.toFixed(0)}`);
  console.log(`  streams of such a call per core           ${(1_000 / perSecond).toFixed(1)}`);
  await benchPool(recognizer, voices);
  const { interims, finals } = await replayLive(recognizer, voices);
  const figures = [median(interims), median(finals), Math.max(...finals)].map((ms) => ms.toFixed(0));
  console.log(`  at real time: first interim ${figures[0]} ms after the beginning of speech (median)`);
  console.log(
    `                final ${figures[1]} ms after the end of its last word (median), ${figures[2]} ms at most`,
  );
}

/** Plays the beginning of the call at real time; how long, in ms, text came after what it is about. */
async function replayLive(recognizer: Recognizer, voices: readonly VoiceActivity[]) {
  const interims: number[] = [];
  const finals: number[] = [];
  const startedMs = performance.now();
  const nowMs = (): number => performance.now() - startedMs;
  let isNew = true;
  const onResult = (): void => {
    for (const said of transcription.drain(nowMs())) {
      if (said.type === 'interim' && isNew) interims.push(said.arrivalMs - said.startMs - LEAD_MS);
      if (said.type === 'transcript') finals.push(said.arrivalMs - said.endMs);
      isNew = said.type === 'interim' ? false : said.type === 'transcript' || isNew;
    }
  };
  const transcription = createTranscription({ recognizers: [recognizer], timers: WALL_TIMERS, onResult });
  for (const voice of voices) {
    if (voice.arrivalMs > LIVE_MS) break;
    await wait(Math.max(0, voice.arrivalMs - nowMs()));
    transcription.hear(voice);
  }
  await transcription.end();
  transcription.close();
  return { interims, finals };
}

/** An interim begins with the sound before speech that is let through with it. */
const LEAD_MS = 300;

type Listened = { readonly voices: readonly VoiceActivity[]; readonly vadMs: number; readonly firstVadMs: number };

/** Finds the speech of the call. The first time is that of a process which has just started; a server is past it. */
async function listen(): Promise<Listened> {
  const blocks: AudioBlock[] = [];
  for await (const block of (await ADAPTERS.media()).decodeAudio(join(CALL, 'ada.mp4'))) blocks.push(block);
  const vad = await ADAPTERS.vad();
  const voices: VoiceActivity[] = [];
  const firstVadMs = await cpuMs(async () => void voices.push(...(await voicesOf(vad, blocks))));
  const vadMs = (await cpuMs(() => repeat(VAD_ROUNDS, () => voicesOf(vad, blocks)))) / VAD_ROUNDS;
  await vad.close();
  return { voices, vadMs, firstVadMs };
}

async function voicesOf(vad: VoiceActivityDetector, blocks: readonly AudioBlock[]): Promise<readonly VoiceActivity[]> {
  const stream = vad.open();
  const { frameMs } = stream;
  const voices: VoiceActivity[] = [];
  let speechStartMs = 0;
  for (const { startMs, samples } of blocks) {
    const speech = await stream.process(samples);
    const arrivalMs = startMs + samples.length / 16;
    voices.push({ type: 'voice', arrivalMs, streamId: 'audio', startMs, samples, speech, speechStartMs, frameMs });
    speechStartMs += speech.length * frameMs;
  }
  stream.close();
  return voices;
}

/** What files and names wait for while four streams are recognized, which runs in threads of the same pool, and without. */
async function benchPool(recognizer: Recognizer, voices: readonly VoiceActivity[]): Promise<void> {
  const alone = await waitsWhile(wait(POOL_MS));
  const streams = Array.from({ length: 4 }, () =>
    createTranscription({ recognizers: [recognizer], timers: WALL_TIMERS }),
  );
  for (const stream of streams) for (const voice of voices) if (voice.arrivalMs < POOL_MS) stream.hear(voice);
  const beside = await waitsWhile(Promise.all(streams.map((stream) => stream.end())));
  for (const stream of streams) stream.close();
  const told = ({ file, name }: Waits): string => `${file.toFixed(2)} and ${name.toFixed(2)} ms`;
  console.log(`  a file and a host name take               ${told(beside)} (median) beside four streams,`);
  console.log(`                                            ${told(alone)} without any`);
}

type Waits = { readonly file: number; readonly name: number };

async function waitsWhile(work: Promise<unknown>): Promise<Waits> {
  let isDone = false;
  void work.finally(() => (isDone = true));
  const [files, names]: [number[], number[]] = [[], []];
  const timed = async (step: () => Promise<unknown>): Promise<number> => {
    const startedMs = performance.now();
    await step();
    return performance.now() - startedMs;
  };
  while (!isDone) {
    files.push(await timed(() => stat(CALL)));
    names.push(await timed(() => lookup('localhost')));
    await wait(10);
  }
  await work;
  return { file: median(files), name: median(names) };
}

async function repeat(times: number, work: () => Promise<unknown>): Promise<void> {
  for (let count = 0; count < times; count++) await work();
}

async function cpuMs(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

if (process.argv[1]?.includes('speech')) await benchSpeech();
