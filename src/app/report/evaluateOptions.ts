import { MODALITIES, type Modality } from '../../domain/modality.ts';
import { UndertoneError } from '../../errors.ts';
import type { Backend } from '../../model/backend.ts';
import { EVALUATION_ABLATIONS, type EvaluationAblation, LOOK_AHEADS } from '../../training/evaluation/result.ts';

/** What `undertone evaluate` was asked for. Lists are as they were typed. */
export type EvaluateCommand = {
  readonly weights?: string | undefined;
  readonly data: string;
  readonly split: string;
  readonly show: readonly string[];
  readonly lookAhead: readonly string[];
  readonly missing: readonly string[];
  readonly ablate: readonly string[];
  readonly shuffleSpeakers: boolean;
  /** Other weights files, to compare with. */
  readonly compare: readonly string[];
  /** One of LIVE_BACKENDS: figures come from the path of live sessions. */
  readonly backend: Backend | 'auto';
  readonly out?: string | undefined;
  readonly json: boolean;
};

/** The lists of an {@link EvaluateCommand}, checked. */
export type EvaluateLists = {
  readonly shown: readonly Modality[];
  readonly lookAheads: readonly number[];
  readonly missing: readonly ('subsets' | 'rates')[];
  readonly ablations: readonly EvaluationAblation[];
};

const MISSING = ['subsets', 'rates'] as const;

/** All that are compared are held in memory at once. */
const MOST_COMPARED = 16;

/** Checks the lists of a command; an empty one means the default. @throws UndertoneError BAD_OPTION with what is allowed */
export function parseEvaluateLists(command: EvaluateCommand): EvaluateLists {
  if (command.compare.length > MOST_COMPARED)
    throw new UndertoneError('BAD_OPTION', `--compare: at most ${MOST_COMPARED} weights files`);
  const shown = pick('--show', command.show, MODALITIES);
  return {
    shown: shown.length > 0 ? shown : MODALITIES,
    lookAheads: parseLookAheads(command.lookAhead),
    missing: pick('--missing', command.missing, MISSING),
    ablations: pick('--ablate', command.ablate, EVALUATION_ABLATIONS),
  };
}

/** The names given, each once, in the order given. */
function pick<T extends string>(option: string, names: readonly string[], allowed: readonly T[]): T[] {
  const found = names.map((name) => {
    const one = allowed.find((candidate) => candidate === name);
    if (one === undefined)
      throw new UndertoneError('BAD_OPTION', `${option}: "${name}" is not one of ${allowed.join(', ')}`);
    return one;
  });
  return [...new Set(found)];
}

function parseLookAheads(values: readonly string[]): readonly number[] {
  if (values.length === 0) return LOOK_AHEADS;
  const numbers = values.map((value) => {
    if (value === 'inf') return Infinity;
    const n = /^\d{1,2}$/.test(value) ? Number(value) : NaN;
    if (!(n <= 64))
      throw new UndertoneError('BAD_OPTION', `--look-ahead: "${value}" is neither a whole number from 0 to 64 nor inf`);
    return n;
  });
  return [...new Set(numbers)].sort((a, b) => a - b);
}
