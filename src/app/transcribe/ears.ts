import type { RecognizerEvent } from '../../adapter.ts';
import type { Observation, StreamOpened, VoiceActivity } from '../../domain/observation.ts';
import { createGate } from './gate.ts';
import { createLabels } from './labels.ts';
import { createLine, type Line, type LineOptions } from './line.ts';
import type { Needs } from './pool.ts';
import { toObservation } from './toObservation.ts';

/** One audio stream: its speech, on the way to a recognizer. */
export type Ear = {
  /** See `Line`. */
  prepare(): void;
  hear(voice: VoiceActivity): void;
  /** Whatever was being said is over. */
  pause(): void;
};

/** The audio streams of a session that are listened to, by their ids. */
export type Ears = {
  has(streamId: string): boolean;
  ids(): readonly string[];
  /** The ear of a stream, a new one the first time; undefined when there are as many as may be. */
  of(stream: StreamOpened): Ear | undefined;
  /** Speech that was open in a stream ends. */
  pause(streamId: string): void;
  /** Resolves when the last final of a stream was told; it is not listened to any more. */
  finish(streamId: string): Promise<void>;
  /** Ends a stream at once. */
  silence(streamId: string): void;
  settle(): Promise<void>;
  close(): void;
};

/** What all lines of a session share, and whom they tell: of words and faults on the text stream `asr:<audio stream>`. */
export type EarsOptions = Pick<LineOptions, 'pool' | 'timers' | 'nowMs' | 'finalWaitMs'> & {
  readonly tell: (observation: Observation) => void;
};

/** Audio streams that are recognized; those beyond are not. */
const MAX_STREAMS = 512;

/** Returns ears that listen to nothing. */
export function createEars(options: EarsOptions): Ears {
  const open = new Map<string, { readonly ear: Ear; readonly line: Line }>();
  const lines = new Set<Line>();
  const createLineOf = createLines(options);

  const of = (stream: StreamOpened): Ear | undefined => {
    const known = open.get(stream.streamId);
    if (known || open.size >= MAX_STREAMS) return known?.ear;
    const line = createLineOf(stream);
    const created = { ear: createEar(line), line };
    lines.add(line);
    open.set(stream.streamId, created);
    return created.ear;
  };
  const finish = async (streamId: string): Promise<void> => {
    const known = open.get(streamId);
    open.delete(streamId);
    if (known === undefined) return;
    known.ear.pause();
    await known.line.end();
    lines.delete(known.line);
  };
  const silence = (streamId: string): void => {
    const known = open.get(streamId);
    known?.line.close();
    if (known) lines.delete(known.line);
    open.delete(streamId);
  };
  return {
    has: (streamId) => open.has(streamId),
    ids: () => [...open.keys()],
    of,
    pause: (streamId) => open.get(streamId)?.ear.pause(),
    finish,
    silence,
    settle: async () => void (await Promise.all([...lines].map((line) => line.settle()))),
    close: () => {
      for (const line of lines) line.close();
    },
  };
}

function createEar(line: Line): Ear {
  const gate = createGate();
  return {
    prepare: () => line.prepare(),
    hear: (voice) => line.push(gate.hear(voice)),
    pause: () => line.push(gate.end()),
  };
}

/** What is said on a line is of the stream's speaker, else of whom the recognizer tells apart (S1, S2 …). */
function createLines({ tell, ...options }: EarsOptions): (stream: StreamOpened) => Line {
  const labels = createLabels();
  return (stream) => {
    const at = { arrivalMs: 0, streamId: `asr:${stream.streamId}` };
    const speakerOf = ({ speakerLabel }: RecognizerEvent, connection: number) =>
      speakerLabel === undefined ? undefined : labels.speakerOf(`${stream.streamId} ${connection} ${speakerLabel}`);
    return createLine({
      ...options,
      needs: needsOf(stream),
      onEvent: (event, connection) =>
        tell(toObservation(event, stream, stream.speaker ?? speakerOf(event, connection))),
      onState: (reason) =>
        tell(reason === undefined ? { type: 'streamRestored', ...at } : { type: 'streamInterrupted', ...at, reason }),
      onFault: ({ code, message }) => tell({ type: 'fault', ...at, code, message }),
    });
  };
}

function needsOf({ speaker, language, sampleRateHz }: StreamOpened): Needs {
  return {
    severalSpeakers: speaker === undefined,
    ...(language !== undefined && { language }),
    ...(sampleRateHz !== undefined && { sourceRateHz: sampleRateHz }),
  };
}
