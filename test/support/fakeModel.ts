import type { Awaitable, ConversationModel, ModelInput } from '../../src/domain/conversationModel.ts';
import { perModality, type Modality } from '../../src/domain/modality.ts';
import type { Prediction, Utterance, UtteranceEvidence } from '../../src/domain/utterance.ts';

export const FAKE_LABELS: readonly string[] = ['neutral', 'joy', 'anger'];

export type FakeModelOptions = {
  readonly lookAhead?: number;
  readonly inputs?: readonly ModelInput[];
  /** Wraps each answer, to make the model answer later. */
  readonly later?: <T>(value: T) => Awaitable<T>;
};

export type FakeCall = {
  readonly call: 'add' | 'revise' | 'finish';
  readonly id?: string;
  readonly evidence?: UtteranceEvidence;
};

export type FakeModel = ConversationModel & { readonly calls: FakeCall[]; readonly windowSize: () => number };

type Held = { utterance: Utterance; evidence: UtteranceEvidence; seen: number[] };

/**
 * Returns a model that is plain arithmetic on the evidence: words with "great" are joyful, with "awful" angry, loud
 * prosody (second measure) is angry; each later utterance pulls a tenth of its own logits into those of the window. It
 * keeps the contract of ConversationModel: the window holds `lookAhead` utterances, and work per call does not grow.
 */
export function createFakeModel(options: FakeModelOptions = {}): FakeModel {
  const {
    lookAhead = 2,
    inputs = ['text', 'prosody', 'segments'],
    later = <T>(value: T): Awaitable<T> => value,
  } = options;
  let window: Held[] = [];
  const calls: FakeCall[] = [];

  const predict = (held: Held, isFinal: boolean): Prediction => {
    const own = logitsOf(held.evidence);
    const logits = own.map((logit, index) => logit + (held.seen[index] ?? 0) / 10);
    const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
    const lookedAhead = window.length - 1 - window.indexOf(held);
    return {
      utteranceId: held.utterance.id,
      lookAhead: lookedAhead,
      isFinal,
      probabilities: logits.map((logit) => Math.exp(logit) / sum),
      weights: weightsOf(held.evidence),
    };
  };
  const answer = (areFinal: (held: Held) => boolean): Prediction[] =>
    window.map((held) => predict(held, areFinal(held)));

  return {
    labels: FAKE_LABELS,
    lookAhead,
    inputs: new Set(inputs),
    calls,
    windowSize: () => window.length,
    add: (utterance, evidence) => {
      calls.push({ call: 'add', id: utterance.id, evidence });
      for (const held of window) held.seen = held.seen.map((sum, i) => sum + (logitsOf(evidence)[i] ?? 0));
      window.push({ utterance, evidence, seen: [0, 0, 0] });
      const predictions = answer((held) => window.length - 1 - window.indexOf(held) >= lookAhead);
      window = window.slice(-lookAhead || window.length);
      if (calls.length > 1000) calls.splice(0, 500);
      return later(predictions);
    },
    revise: (utterance, evidence) => {
      calls.push({ call: 'revise', id: utterance.id, evidence });
      const held = window.find((candidate) => candidate.utterance.id === utterance.id);
      if (held === undefined) return later([]);
      Object.assign(held, { utterance, evidence });
      return later(answer(() => false));
    },
    finish: () => {
      calls.push({ call: 'finish' });
      const predictions = answer(() => true);
      window = [];
      return later(predictions);
    },
  };
}

function logitsOf({ text, prosody }: UtteranceEvidence): readonly number[] {
  const loudness = prosody?.[1] ?? 0;
  return [1, text?.includes('great') ? 3 : 0, (text?.includes('awful') ? 3 : 0) + loudness];
}

function weightsOf({ text, prosody, segments }: UtteranceEvidence): Prediction['weights'] {
  const isHeard = { text: text !== undefined, audio: (prosody ?? segments) !== undefined, face: false, body: false };
  const heard = Object.values(isHeard).filter(Boolean).length;
  return perModality((modality: Modality) => (isHeard[modality] ? 1 / heard : 0));
}
