import type { Recognizer, RecognizerEvent } from '../../adapter.ts';
import type { Observation, StreamOpened, VoiceActivity } from '../../domain/observation.ts';
import { createAudience, type CaptionedSpeech } from './audience.ts';
import type { Timers } from './timers.ts';
import { createGate, type Gate } from './gate.ts';
import { createLabels } from './labels.ts';
import { createLine, type Line } from './line.ts';
import { createPool, DEFAULT_POOL, type PoolSettings } from './pool.ts';
import type { Seats } from './seats.ts';
import { toObservation } from './toObservation.ts';

/** How speech becomes text. */
export type TranscriptionOptions = {
  /** In the order in which they are preferred; the transcription does not close them. */
  readonly recognizers: readonly Recognizer[];
  readonly timers: Timers;
  /** What becomes of speech that has captions; `left` unless given. */
  readonly captioned?: CaptionedSpeech;
  /** The room of the recognizers that is shared with other sessions. */
  readonly seats?: Seats;
  readonly pool?: PoolSettings;
  /** At most how long `settle` waits for each final of a remote recognizer; 0 (the default) does not wait. */
  readonly finalWaitMs?: number;
  /** Told when `drain` has something. */
  readonly onResult?: () => void;
};

/** The recognition of one session's audio streams. */
export type Transcription = {
  /** Takes note of an observation of the session; voice is recognized. Never waits: sound beyond 30 s is let go. */
  hear(observation: Observation): void;
  /** Whether these words are left out, because those of a recognizer stand for them; ask before `hear`. */
  isReplaced(observation: Observation): boolean;
  /** What recognizers said since the last call, arriving at the session time `atMs`. */
  drain(atMs: number): readonly Observation[];
  /** Resolves when all that was heard has been given to a recognizer, and answered by a local one. */
  settle(): Promise<void>;
  /** There is no more sound: resolves when every final can be drained. */
  end(): Promise<void>;
  /** Ends at once. */
  close(): void;
};

type Heard = { readonly gate: Gate; readonly line: Line };
/** Audio streams that are recognized; those beyond are not. */
const MAX_STREAMS = 512;
const MAX_WAITING = 10_000;
/** What comes again after a stream delivered nothing for less than this goes on with what was being said. */
const HOLD_MS = 5_000;

/**
 * Returns the recognition of a session: interim and final transcripts on a stream `asr:<audio stream>` for each audio
 * stream that is listened to (see `createAudience`), of its speaker when it has one, else of whom the recognizer tells apart
 * (S1, S2 …). Only speech is recognized. While no recognizer works, or none has room, the text stream is interrupted
 * (`transcriber_down`, `overload`).
 */
export function createTranscription(options: TranscriptionOptions): Transcription {
  const pool = createPool(options.recognizers, options.pool ?? DEFAULT_POOL, options.seats);
  const audience = createAudience(options.captioned);
  const told = new Set<string>();
  const heard = new Map<string, Heard>();
  const lines = new Set<Line>();
  const paused = new Map<string, number>();
  const ending = new Set<Promise<void>>();
  const labels = createLabels();
  let results: Observation[] = [];
  let clockMs = 0;

  const tell = (observation: Observation): void => {
    if (results.length >= MAX_WAITING) results.shift();
    results.push(observation);
    options.onResult?.();
  };
  const tellEvent = (stream: StreamOpened, event: RecognizerEvent, connection: number): void => {
    const { streamId } = stream;
    const label = event.speakerLabel;
    const speaker =
      stream.speaker ?? (label === undefined ? undefined : labels.speakerOf(`${streamId} ${connection} ${label}`));
    tell(toObservation(event, stream, speaker));
  };
  const createHeard = (stream: StreamOpened): Heard => {
    const { language, sampleRateHz: sourceRateHz } = stream;
    const streamId = `asr:${stream.streamId}`;
    const line = createLine({
      pool,
      needs: {
        severalSpeakers: stream.speaker === undefined,
        ...(language !== undefined && { language }),
        ...(sourceRateHz !== undefined && { sourceRateHz }),
      },
      timers: options.timers,
      nowMs: () => clockMs,
      finalWaitMs: options.finalWaitMs ?? 0,
      onEvent: (event, connection) => tellEvent(stream, event, connection),
      onState: (reason) =>
        tell(
          reason === undefined
            ? { type: 'streamRestored', arrivalMs: 0, streamId }
            : { type: 'streamInterrupted', arrivalMs: 0, streamId, reason },
        ),
      onFault: ({ code, message }) => tell({ type: 'fault', arrivalMs: 0, streamId, code, message }),
    });
    lines.add(line);
    return { gate: createGate(), line };
  };

  const hearOf = (stream: StreamOpened): Heard | undefined => {
    const known = heard.get(stream.streamId);
    if (known || heard.size >= MAX_STREAMS) return known;
    const created = createHeard(stream);
    heard.set(stream.streamId, created);
    return created;
  };
  const open = (stream: StreamOpened): void => {
    const { streamId, speaker } = stream;
    told.add(streamId);
    const more = speaker ? { speaker } : {};
    tell({ type: 'streamOpened', arrivalMs: 0, streamId: `asr:${streamId}`, kind: 'captions', ...more });
    hearOf(stream)?.line.prepare();
  };
  const finish = async (streamId: string): Promise<void> => {
    const known = heard.get(streamId);
    heard.delete(streamId);
    if (known === undefined) return;
    known.line.push(known.gate.end());
    await known.line.end();
    lines.delete(known.line);
  };
  /** The last words follow, then the text stream closes. */
  const close = (streamId: string): void => {
    told.delete(streamId);
    paused.delete(streamId);
    const closed = finish(streamId).then(() => {
      ending.delete(closed);
      if (!told.has(streamId))
        tell({ type: 'streamClosed', arrivalMs: 0, streamId: `asr:${streamId}`, reason: 'track_ended' });
    });
    ending.add(closed);
  };
  /** Nothing more goes to a recognizer, and what it said is forgotten. */
  const silence = (streamId: string): void => {
    const known = heard.get(streamId);
    known?.line.close();
    if (known) lines.delete(known.line);
    heard.delete(streamId);
    results = results.filter((result) => !('streamId' in result) || result.streamId !== `asr:${streamId}`);
  };
  /** Begins and ends to listen where what was observed last changed who is listened to. */
  const review = (): void => {
    for (const stream of audience.streams()) {
      const { streamId } = stream;
      if (audience.isWithheld(streamId)) silence(streamId);
      else if (audience.isHeard(streamId) && !told.has(streamId)) open(stream);
      else if (!audience.isHeard(streamId) && told.has(streamId)) close(streamId);
    }
  };
  /** Speech that broke off is over: at once by muting, else when nothing came for a while. */
  const finishPaused = (): void => {
    for (const [streamId, sinceMs] of paused) {
      if (clockMs - sinceMs < HOLD_MS) continue;
      paused.delete(streamId);
      const known = heard.get(streamId);
      known?.line.push(known.gate.end());
    }
  };
  const listen = (voice: VoiceActivity): void => {
    const { streamId } = voice;
    const known = audience.isHeard(streamId) ? hearOf(audience.streamOf(streamId)) : undefined;
    known?.line.push(known.gate.hear(voice));
  };

  return {
    hear: (observation) => {
      clockMs = Math.max(clockMs, observation.arrivalMs);
      if (observation.type === 'voice') return listen(observation);
      audience.observe(observation);
      if (observation.type === 'streamInterrupted' && heard.has(observation.streamId))
        paused.set(observation.streamId, observation.reason === 'muted' ? -Infinity : clockMs);
      else if (observation.type === 'streamRestored') paused.delete(observation.streamId);
      else if (
        observation.type === 'streamClosed' &&
        (told.has(observation.streamId) || heard.has(observation.streamId))
      )
        close(observation.streamId);
      if (CHANGES.has(observation.type)) review();
      if (paused.size > 0) finishPaused();
    },
    isReplaced: (observation) => audience.isReplaced(observation),
    drain: (atMs) => {
      const drained = results.map((result) => ({ ...result, arrivalMs: atMs }));
      results = [];
      return drained;
    },
    settle: async () => void (await Promise.all([...[...lines].map((line) => line.settle()), ...ending])),
    end: async () => void (await Promise.all([...[...heard.keys()].map(finish), ...ending])),
    close: () => {
      for (const line of lines) line.close();
    },
  };
}

const CHANGES: ReadonlySet<Observation['type']> = new Set(['streamOpened', 'streamClosed', 'consent']);
