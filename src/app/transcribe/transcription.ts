import type { Recognizer, RecognizerEvent } from '../../adapter.ts';
import type { ConsentChanged, Observation, StreamOpened, VoiceActivity } from '../../domain/observation.ts';
import type { Speaker } from '../../domain/speaker.ts';
import { setBounded } from '../../operators/bounded.ts';
import type { Timers } from './connection.ts';
import { createGate, type Gate } from './gate.ts';
import { createLabels } from './labels.ts';
import { createLine, type Line } from './line.ts';
import { createPool, DEFAULT_POOL, type PoolSettings } from './pool.ts';

/** How speech becomes text. `sourceRateHz`: the rate an audio stream had before it was resampled, when known. */
export type TranscriptionOptions = {
  /** In the order in which they are preferred; the transcription does not close them. */
  readonly recognizers: readonly Recognizer[];
  readonly timers: Timers;
  /** BCP 47 tag of what is spoken, when known. */
  readonly language?: string | undefined;
  readonly sourceRateHz?: (streamId: string) => number | undefined;
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

/**
 * Returns the recognition of a session: interim and final transcripts on a stream `asr:<audio stream>` for each audio
 * stream, of its speaker when it has one, else of whom the recognizer tells apart (S1, S2 …). Only speech is recognized.
 * The own stream of somebody who does not allow text is not recognized. While no recognizer works, the text stream is interrupted (`transcriber_down`).
 */
export function createTranscription(options: TranscriptionOptions): Transcription {
  const pool = createPool(options.recognizers, options.pool ?? DEFAULT_POOL);
  const speakers = new Map<string, Speaker>();
  const heard = new Map<string, Heard>();
  const labels = createLabels();
  const silenced = new Set<string>();
  let results: Observation[] = [];
  let clockMs = 0;

  const tell = (observation: Observation): void => {
    if (results.length >= MAX_WAITING) results.shift();
    results.push(observation);
    options.onResult?.();
  };
  const tellEvent = (streamId: string, event: RecognizerEvent, connection: number): void => {
    const speaker =
      speakers.get(streamId) ??
      (event.speakerLabel === undefined
        ? undefined
        : labels.speakerOf(`${streamId} ${connection} ${event.speakerLabel}`));
    const { startMs, endMs, text } = event;
    const said = { arrivalMs: 0, streamId: `asr:${streamId}`, startMs, endMs, text, ...(speaker && { speaker }) };
    if (event.type === 'interim') return tell({ type: 'interim', ...said });
    const { words, language = options.language } = event;
    tell({ type: 'transcript', ...said, ...(words && { words }), ...(language !== undefined && { language }) });
  };
  const start = (streamId: string): Heard | undefined => {
    if (heard.size >= MAX_STREAMS) return undefined;
    const textId = `asr:${streamId}`;
    const sourceRateHz = options.sourceRateHz?.(streamId);
    const line = createLine({
      pool,
      needs: {
        ...(options.language !== undefined && { language: options.language }),
        ...(sourceRateHz !== undefined && { sourceRateHz }),
      },
      timers: options.timers,
      nowMs: () => clockMs,
      finalWaitMs: options.finalWaitMs ?? 0,
      onEvent: (event, connection) => tellEvent(streamId, event, connection),
      onWorking: (isWorking) =>
        tell(
          isWorking
            ? { type: 'streamRestored', arrivalMs: 0, streamId: textId }
            : { type: 'streamInterrupted', arrivalMs: 0, streamId: textId, reason: 'transcriber_down' },
        ),
      onFault: ({ code, message }) => tell({ type: 'fault', arrivalMs: 0, streamId: textId, code, message }),
    });
    const created = { gate: createGate(), line };
    heard.set(streamId, created);
    return created;
  };
  const open = ({ kind, streamId, speaker }: StreamOpened): void => {
    if (kind !== 'audio') return;
    if (speaker) setBounded(speakers, streamId, speaker, MAX_STREAMS);
    tell({
      type: 'streamOpened',
      arrivalMs: 0,
      streamId: `asr:${streamId}`,
      kind: 'captions',
      ...(speaker && { speaker }),
    });
  };
  const listen = (voice: VoiceActivity): void => {
    if (silenced.has(speakers.get(voice.streamId)?.id ?? '')) return;
    const known = heard.get(voice.streamId) ?? start(voice.streamId);
    known?.line.push(known.gate.hear(voice));
  };
  /** Whoever does not allow text is not listened to: nothing of their own stream goes to a recognizer. */
  const consent = ({ speaker, modalities }: ConsentChanged): void => {
    if (modalities.includes('text')) {
      silenced.delete(speaker.id);
      return;
    }
    if (silenced.size < MAX_STREAMS) silenced.add(speaker.id);
    for (const [streamId, { line }] of heard) {
      if (speakers.get(streamId)?.id !== speaker.id) continue;
      line.close();
      heard.delete(streamId);
      results = results.filter((result) => !('streamId' in result) || result.streamId !== `asr:${streamId}`);
    }
  };
  const finish = async ({ gate, line }: Heard): Promise<void> => {
    line.push(gate.end());
    await line.end();
  };

  return {
    hear: (observation) => {
      clockMs = Math.max(clockMs, observation.arrivalMs);
      if (observation.type === 'streamOpened') open(observation);
      else if (observation.type === 'voice') listen(observation);
      else if (observation.type === 'consent') consent(observation);
      else if (observation.type === 'streamClosed') {
        const known = heard.get(observation.streamId);
        if (known) known.line.push(known.gate.end());
      }
    },
    drain: (atMs) => {
      const drained = results.map((result) => ({ ...result, arrivalMs: atMs }));
      results = [];
      return drained;
    },
    settle: async () => void (await Promise.all([...heard.values()].map(({ line }) => line.settle()))),
    end: async () => void (await Promise.all([...heard.values()].map(finish))),
    close: () => {
      for (const { line } of heard.values()) line.close();
    },
  };
}
