import { setTimeout as wait } from 'node:timers/promises';
import { lastValueFrom, tap } from 'rxjs';
import type { PrivacyMode } from '../../domain/modality.ts';
import type { Insight } from '../../domain/insight.ts';
import { UndertoneError } from '../../errors.ts';
import type { Backend } from '../../model/backend.ts';
import { createEmotionModel } from '../../model/conversation.ts';
import { encodeInsight } from '../../protocol/insight.ts';
import { ADAPTERS } from '../adapters.ts';
import { createFileWriter } from '../present/files.ts';
import { createTerminalView } from '../present/terminal.ts';
import { openInputs, type ReplayInputs, type ReplayRequest } from '../replay/inputs.ts';
import { openVision } from '../replay/openVision.ts';
import { replay } from '../replay/replay.ts';
import type { Pacer } from '../replay/timeline.ts';
import { WALL_TIMERS } from '../transcribe/timers.ts';
import { openRecognizers } from '../transcribe/openRecognizers.ts';
import { createTranscription, type Transcription } from '../transcribe/transcription.ts';
import { startTensorBackend } from '../tensorBackend.ts';
import { loadWeights } from '../weights.ts';
import { EXIT, type Terminal } from '../terminal.ts';

/** What `undertone replay` was asked for. */
export type ReplayCommand = ReplayRequest & {
  readonly speed: number | 'max';
  readonly out?: string | undefined;
  readonly json: boolean;
  /** Names of recognizers, in the order in which they are tried; without any, text comes from captions. */
  readonly asr?: readonly string[] | undefined;
  readonly weights?: string | undefined;
  readonly privacy: PrivacyMode;
  /** Whether pictures are looked at. */
  readonly vision: 'on' | 'off';
  /** One of LIVE_BACKENDS. */
  readonly backend: Backend | 'auto';
};

/** The clock on the wall; nobody waits any longer once the command should end. */
function wallClock(stop: AbortSignal): Pacer {
  return {
    nowMs: () => performance.now(),
    sleep: (ms) => wait(ms, undefined, { signal: stop }).catch(() => undefined),
  };
}

/**
 * Replays a recorded call and shows or writes its insights. Everything that can be refused is refused before anything is
 * written. Returns the exit status: 0 done, 2 part of the recording could not be decoded, 130 interrupted.
 * @param tell Told of each insight, before it is shown.
 * @throws UndertoneError for input, options or output that cannot be used
 */
export async function runReplay(
  command: ReplayCommand,
  terminal: Terminal,
  tell?: (insight: Insight) => void,
): Promise<number> {
  const reader = await ADAPTERS.media();
  const inputs = await openInputs(command, reader);
  const [backend, weights] = await Promise.all([startTensorBackend(command.backend), loadWeights(command.weights)]);
  const vad = inputs.audio.length > 0 ? await ADAPTERS.vad() : undefined;
  const speech = await recognizeSpeech(command, inputs, terminal.env);
  const vision = await openVision(command, inputs, terminal.env);
  const model = createEmotionModel(weights);
  const files = command.out === undefined ? undefined : createFileWriter(command.out);
  terminal.onExit(() => files?.discard());
  const pacer = wallClock(terminal.stop);
  const view = command.json
    ? undefined
    : createTerminalView({ ...terminal, speed: command.speed, durationMs: inputs.durationMs, nowMs: pacer.nowMs });
  for (const notice of [...inputs.notices, ...speech.notices, ...vision.notices]) terminal.err.write(`${notice}\n`);
  let faults = 0;
  const show = (insight: Insight): void => {
    if (insight.type === 'fault') faults += 1;
    tell?.(insight);
    files?.show(insight);
    view?.show(insight);
    if (command.json) terminal.out.write(`${encodeInsight(insight)}\n`);
    if (command.json && insight.type === 'fault') terminal.err.write(`fault ${insight.code}: ${insight.message}\n`);
  };
  const deps = {
    reader,
    vad,
    transcription: speech.transcription,
    looking: vision.looking,
    model,
    weights: weights.provenance.name,
    backend: backend.name,
    pacer,
    whenReady: terminal.whenReady,
    onProgress: (atMs: number) => view?.advance(atMs),
  };
  try {
    await lastValueFrom(
      replay(inputs, deps, { privacy: command.privacy, speed: command.speed, stop: terminal.stop }).pipe(tap(show)),
    );
    await view?.close();
    await files?.close();
  } catch (error) {
    files?.discard();
    await view?.close();
    throw error;
  } finally {
    model.dispose();
    await Promise.all([vad?.close(), speech.close(), vision.close()]);
  }
  for (const path of files?.paths ?? []) terminal.err.write(`wrote ${path}\n`);
  if (terminal.isInterrupted()) return EXIT.interrupted;
  return faults > 0 ? EXIT.refused : EXIT.done;
}

/** A final of a remote recognizer is waited for so long, so that the replay does not run away from it. */
const FINAL_WAIT_MS = 3_000;

type Speech = {
  readonly transcription?: Transcription;
  readonly notices: readonly string[];
  readonly close: () => Promise<void>;
};

/** Opens the recognizers that were asked for. @throws UndertoneError BAD_OPTION, RECOGNIZER_MISSING, RECOGNIZER_FAILED */
async function recognizeSpeech(
  { asr = [] }: ReplayCommand,
  inputs: ReplayInputs,
  env: Terminal['env'],
): Promise<Speech> {
  if (asr.length === 0) return { notices: [], close: async () => undefined };
  if (inputs.hasCaptions) throw new UndertoneError('BAD_OPTION', '--asr and --captions both give the text; choose one');
  const { recognizers, notices } = await openRecognizers(asr, ADAPTERS.recognizers, env);
  const transcription = createTranscription({
    recognizers,
    timers: WALL_TIMERS,
    finalWaitMs: FINAL_WAIT_MS,
  });
  const close = async (): Promise<void> => {
    await Promise.all(recognizers.map((recognizer) => recognizer.close()));
  };
  return { transcription, notices, close };
}
