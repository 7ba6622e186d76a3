import * as tf from '@tensorflow/tfjs-core';
import type { ModelConfig } from './config.ts';
import { classify } from './dialogueContext.ts';
import type { Ablation } from './fusion.ts';
import { linear } from './layers.ts';
import { type LstmState, lstmStep, type RecurrentWeights } from './ops/lstm.ts';
import { hostOf } from './ops/rows.ts';
import type { Parameters } from './parameters.ts';

/** One utterance inside the look-ahead window. `fused` is `undefined` when it has no modality: the context skips it. */
export type WindowItem = {
  readonly id: string;
  readonly speakerId: string;
  readonly fused: Float32Array | undefined;
  /** Forward states of the dialogue and of the speaker after this utterance. */
  d: LstmState;
  s: LstmState;
  /** Input projections of the four LSTMs; recomputed, never saved. */
  readonly gates: Projections | undefined;
};

/** Input projections of one utterance, each of length `4 · contextHidden`. */
type Projections = Readonly<
  Record<'dialogueForward' | 'dialogueBackward' | 'speakerForward' | 'speakerBackward', Float32Array>
>;

/** Everything that has to be remembered of a conversation. */
export type ContextMemory = {
  /** State of the dialogue before the window. */
  base: LstmState;
  /** State of each speaker before the window, least recently heard first. */
  readonly speakers: Map<string, LstmState>;
  /** The last utterances, at most `lookAhead + 1`, oldest first. */
  readonly window: WindowItem[];
};

/** Speakers remembered at once; the one not heard for longest is forgotten first and starts anew. */
export const MAX_SPEAKERS = 64;

/**
 * Dialogue and speaker context of one conversation, kept up utterance by utterance. One forward step per LSTM for a new
 * utterance, then the backward LSTMs over the window only: O(lookAhead) work and memory, whatever the length of the
 * conversation. With a window that covers everything it equals the offline network within 1e-5.
 * Source: METHOD.md section 5; latency-controlled BiLSTM, Zhang et al. 2016, arXiv 1510.08983.
 */
export type IncrementalContext = {
  readonly memory: ContextMemory;
  /** Appends an utterance. The window grows; whoever reads the predictions retires what is final. */
  push(id: string, speakerId: string, fused: Float32Array | undefined): void;
  /** Replaces an utterance inside the window and everything that followed from it. False when it has left. */
  replace(id: string, speakerId: string, fused: Float32Array | undefined): boolean;
  /** Drops the oldest utterance of the window, whose prediction is final. */
  retire(): void;
  /** Logits of every utterance of the window, `[window, labels]`; rows without modality are `undefined`. */
  classify(): (Float32Array | undefined)[];
};

/** A saved memory to go on from, and streams that the classifier reads as zeros, to measure what they do. */
export type ContextOptions = {
  readonly memory?: ContextMemory | undefined;
  readonly without?: ReadonlySet<Ablation> | undefined;
};

/** Makes the context of one conversation, empty or from a memory that was saved. */
export function createIncrementalContext(
  p: Parameters,
  config: ModelConfig,
  { memory, without = new Set() }: ContextOptions = {},
): IncrementalContext {
  const zero = (): LstmState => ({
    h: new Float32Array(config.contextHidden),
    c: new Float32Array(config.contextHidden),
  });
  const state: ContextMemory = memory ?? { base: zero(), speakers: new Map(), window: [] };
  const recurrent = (name: string): RecurrentWeights => {
    const prepared = p.recurrent(name);
    if (!prepared) throw new TypeError('createIncrementalContext: parameters must be frozen');
    return { ...prepared, tensor: p.tensor(name) };
  };

  const makeItem = (id: string, speakerId: string, fused: Float32Array | undefined): WindowItem => ({
    id,
    speakerId,
    fused,
    d: zero(),
    s: zero(),
    gates: fused && project(p, config, fused),
  });

  const speakerBefore = (index: number, speakerId: string): LstmState => {
    for (let i = index - 1; i >= 0; i--)
      if (state.window[i]?.speakerId === speakerId) return (state.window[i] as WindowItem).s;
    return state.speakers.get(speakerId) ?? zero();
  };

  const forwardFrom = (index: number): void => {
    for (let i = index; i < state.window.length; i++) {
      const item = state.window[i] as WindowItem;
      const d = i > 0 ? (state.window[i - 1] as WindowItem).d : state.base;
      const s = speakerBefore(i, item.speakerId);
      item.d = item.gates ? lstmStep(item.gates.dialogueForward, recurrent('dialogue.lstm.forward'), d) : d;
      item.s = item.gates ? lstmStep(item.gates.speakerForward, recurrent('speaker.lstm.forward'), s) : s;
    }
  };

  for (const [i, item] of state.window.entries())
    if (item.fused && !item.gates) state.window[i] = { ...item, gates: project(p, config, item.fused) };

  return {
    memory: state,
    push: (id, speakerId, fused) => {
      state.window.push(makeItem(id, speakerId, fused));
      forwardFrom(state.window.length - 1);
    },
    replace: (id, speakerId, fused) => {
      const index = state.window.findIndex((item) => item.id === id);
      if (index < 0) return false;
      state.window[index] = makeItem(id, speakerId, fused);
      forwardFrom(index);
      return true;
    },
    retire: () => {
      const item = state.window.shift();
      if (!item) return;
      state.base = item.d;
      state.speakers.delete(item.speakerId);
      state.speakers.set(item.speakerId, item.s);
      if (state.speakers.size > MAX_SPEAKERS) state.speakers.delete(state.speakers.keys().next().value as string);
    },
    classify: () => {
      const backward = backwardStates(state.window, recurrent, zero);
      return classifyWindow(p, config, { window: state.window, backward, without });
    },
  };
}

function project(p: Parameters, config: ModelConfig, fused: Float32Array): Projections {
  const gates: Float32Array[] = [];
  // Nothing is returned from `tidy`, which would look for tensors in every element of an array.
  tf.tidy(() => {
    const x = tf.tensor2d(fused, [1, fused.length]);
    for (const name of ['dialogue', 'speaker'])
      gates.push(hostOf(linear(p, x, { weights: `${name}.lstm.x`, bias: `${name}.lstm.b` })));
  });
  const [dialogue, speaker] = gates as [Float32Array, Float32Array];
  const size = 4 * config.contextHidden;
  return {
    dialogueForward: dialogue.slice(0, size),
    dialogueBackward: dialogue.slice(size),
    speakerForward: speaker.slice(0, size),
    speakerBackward: speaker.slice(size),
  };
}

type Backward = { readonly d: Float32Array; readonly s: Float32Array };

function backwardStates(
  window: readonly WindowItem[],
  recurrent: (name: string) => RecurrentWeights,
  zero: () => LstmState,
): Backward[] {
  let d = zero();
  const speakers = new Map<string, LstmState>();
  const states: Backward[] = [];
  for (let i = window.length - 1; i >= 0; i--) {
    const item = window[i] as WindowItem;
    let s = speakers.get(item.speakerId) ?? zero();
    if (item.gates) {
      d = lstmStep(item.gates.dialogueBackward, recurrent('dialogue.lstm.backward'), d);
      s = lstmStep(item.gates.speakerBackward, recurrent('speaker.lstm.backward'), s);
      speakers.set(item.speakerId, s);
    }
    states[i] = { d: d.h, s: s.h };
  }
  return states;
}

function classifyWindow(
  p: Parameters,
  config: ModelConfig,
  given: {
    readonly window: readonly WindowItem[];
    readonly backward: readonly Backward[];
    readonly without: ReadonlySet<Ablation>;
  },
): (Float32Array | undefined)[] {
  const { window, backward, without } = given;
  const heard = window.flatMap((item, i) => (item.fused ? [i] : []));
  const result: (Float32Array | undefined)[] = window.map(() => undefined);
  if (heard.length === 0) return result;
  const c = config.contextHidden;
  const width = 3 * config.width + 4 * c;
  const e = new Float32Array(heard.length * width);
  heard.forEach((i, row) => {
    const item = window[i] as WindowItem;
    const back = backward[i] as Backward;
    const at = row * width + 3 * config.width;
    e.set(item.fused as Float32Array, row * width);
    if (!without.has('dialogue')) {
      e.set(item.d.h, at);
      e.set(back.d, at + c);
    }
    if (!without.has('speaker')) {
      e.set(item.s.h, at + 2 * c);
      e.set(back.s, at + 3 * c);
    }
  });
  const logits = tf.tidy(() => hostOf(classify(p, tf.tensor2d(e, [heard.length, width]))));
  const labels = config.labels.length;
  heard.forEach((i, row) => (result[i] = logits.slice(row * labels, (row + 1) * labels)));
  return result;
}
