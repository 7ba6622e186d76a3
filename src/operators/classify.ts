import { catchError, concat, concatMap, defer, filter, finalize, from, of, tap, throwError } from 'rxjs';
import type { Observable, ObservableInput, OperatorFunction } from 'rxjs';
import type { Awaitable, ConversationModel } from '../domain/conversationModel.ts';
import type { Prediction } from '../domain/utterance.ts';
import { requirePositive } from './bounded.ts';
import type { InsightDraft, SessionEnded, Signal, WordsDropped } from './signal.ts';
import { createPredictions } from './predictions.ts';

/** How answers are given. Defaults in {@link DEFAULT_CLASSIFICATION}. */
export type ClassificationSettings = {
  /** A changed answer is told when a probability moved by more than this. */
  readonly revisedProbability: number;
  /** No more than this may wait for the model; beyond, the session ends with `LIMIT_EXCEEDED`. */
  readonly maxWaiting: number;
};

/** Answers are revised when a probability moves by more than 0.02; 10,000 signals may wait. */
export const DEFAULT_CLASSIFICATION: ClassificationSettings = { revisedProbability: 0.02, maxWaiting: 10_000 };

/** The model of the conversation and a clock that only measures how long it takes. */
export type ClassificationOptions = {
  readonly model: ConversationModel;
  /** Wall time in ms, of any origin. */
  readonly now: () => number;
  readonly settings: ClassificationSettings;
};

/** What is known after classification: insights to number, words to count, and the end. */
export type Classified = InsightDraft | WordsDropped | SessionEnded;

const WORK = [
  'utteranceMeasured',
  'modalityChanged',
  'interim',
  'speakerNamed',
  'gap',
  'consent',
  'fault',
  'wordsDropped',
] as const satisfies readonly Signal['type'][];

const WORK_TYPES: ReadonlySet<Signal['type']> = new Set(WORK);

type Work =
  | Extract<Signal, { type: (typeof WORK)[number] }>
  | SessionEnded
  | { readonly type: 'failed'; readonly arrivalMs: number; readonly error: unknown };

/**
 * Emits what the model concludes of each utterance: `provisional` when it is new, `revised` for the utterances of the
 * window whose answer changed, `final` once, and `revised` after it for text or a speaker that comes later still; modality
 * changes, interim transcripts, names, gaps, faults and dropped words in their places between. The text of whoever withholds it is `null` from then on. One signal after the other: while the model returns a
 * promise the others wait (`concatMap`, at most `maxWaiting`), and while it returns values nothing waits. On complete
 * the model finishes, the last finals and `sessionEnded` follow. On error the model finishes, the finals of the
 * utterances it knows follow, then the error; a failure of the model itself passes at once.
 * @throws RangeError when a setting is not positive.
 */
export function classify(options: ClassificationOptions): OperatorFunction<Signal, Classified> {
  const { maxWaiting } = requirePositive(options.settings);
  return (source$) =>
    defer(() => {
      const run = createRunner(options);
      let clockMs = 0;
      let waiting = 0;
      const enter = (): void => {
        if (++waiting > maxWaiting) throw limitExceeded(maxWaiting);
      };
      const work$: Observable<Work> = concat(
        source$.pipe(
          filter((signal) => {
            clockMs = Math.max(clockMs, signal.arrivalMs);
            return isWork(signal);
          }),
        ) as Observable<Work>,
        defer(() => of<Work>({ type: 'sessionEnded', arrivalMs: clockMs })),
      );
      return work$.pipe(
        catchError((error: unknown) => of<Work>({ type: 'failed', arrivalMs: clockMs, error })),
        tap(enter),
        concatMap((work) => defer(() => run(work)).pipe(finalize(() => waiting--))),
      );
    });
}

function isWork(signal: Signal): signal is Extract<Work, Signal> {
  return WORK_TYPES.has(signal.type);
}

function createRunner({ model, now, settings }: ClassificationOptions): (work: Work) => ObservableInput<Classified> {
  const predictions = createPredictions(model.labels, settings.revisedProbability);

  const ask = (atMs: number, question: () => Awaitable<readonly Prediction[]>): ObservableInput<Classified> => {
    const startedMs = now();
    const tell = (answer: readonly Prediction[]): readonly Classified[] =>
      predictions.tell(answer, { atMs, computeMs: now() - startedMs });
    const answer = question();
    return answer instanceof Promise ? from(answer).pipe(concatMap(tell)) : tell(answer);
  };

  return (work) => {
    switch (work.type) {
      case 'utteranceMeasured': {
        const { record, evidence, arrivalMs } = work;
        const isNew = predictions.learn(work);
        if (isNew) return ask(arrivalMs, () => model.add(record.utterance, evidence));
        if (predictions.isFinal(record.utterance.id)) return predictions.tellLate(work);
        return ask(arrivalMs, () => model.revise(record.utterance, evidence));
      }
      case 'modalityChanged': {
        const { arrivalMs: atMs, type: _, ...change } = work;
        return [{ type: 'modality', atMs, ...change }];
      }
      case 'speakerNamed': {
        const { arrivalMs: atMs, type: _, ...named } = work;
        return [{ type: 'speaker', atMs, ...named }];
      }
      case 'interim':
      case 'gap':
      case 'fault': {
        const { arrivalMs: atMs, ...told } = work;
        return [{ ...told, atMs }];
      }
      case 'consent':
        if (!work.modalities.includes('text')) predictions.forgetText(work.speaker);
        return [];
      case 'wordsDropped':
        return [work];
      case 'sessionEnded':
        return concat(
          defer(() => ask(work.arrivalMs, () => model.finish())),
          of(work),
        );
      case 'failed':
        return concat(
          defer(() => ask(work.arrivalMs, () => model.finish())),
          throwError(() => work.error),
        );
    }
  };
}

function limitExceeded(maxWaiting: number): Error {
  const message = `more than ${maxWaiting} signals wait for the model`;
  return Object.assign(new Error(message), { code: 'LIMIT_EXCEEDED', retryable: false });
}
