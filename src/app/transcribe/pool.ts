import type { Recognizer } from '../../adapter.ts';
import { createBreaker, DEFAULT_BREAKER, type Breaker, type BreakerSettings } from './breaker.ts';

/** What a stream needs of its recognizer. */
export type Needs = { readonly language?: string; readonly sourceRateHz?: number };

/** One recognizer of the pool, and whether it may be tried. */
export type Member = { readonly recognizer: Recognizer; readonly breaker: Breaker; spentMs: number };

/** Recognizers in the order in which they are preferred, shared by all streams of a session. */
export type Pool = {
  /** The first that is fit, whose breaker is closed at `atMs` and which is within its budget; undefined when none is. */
  choose(needs: Needs, atMs: number): Member | undefined;
};

/** `budgetMs`: how much sound one recognizer is given in a session, all streams together. */
export type PoolSettings = { readonly breaker: BreakerSettings; readonly budgetMs: number };

/** Breakers as usual, no budget. */
export const DEFAULT_POOL: PoolSettings = { breaker: DEFAULT_BREAKER, budgetMs: Infinity };

/** Returns a pool in which no recognizer has failed yet. */
export function createPool(recognizers: readonly Recognizer[], settings: PoolSettings = DEFAULT_POOL): Pool {
  const members = recognizers.map((recognizer): Member => ({
    recognizer,
    breaker: createBreaker(settings.breaker),
    spentMs: 0,
  }));
  return {
    choose: (needs, atMs) =>
      members.find(
        ({ recognizer, breaker, spentMs }) =>
          isFit(recognizer, needs) && breaker.isAvailable(atMs) && spentMs < settings.budgetMs,
      ),
  };
}

/** A language fits its regions (`en` hears `en-GB`); a rate fits from the lowest that the recognizer is made for. */
function isFit({ capabilities }: Recognizer, { language, sourceRateHz }: Needs): boolean {
  const { languages, sampleRatesHz } = capabilities;
  const hears = language === undefined || languages === 'any' || languages.some((tag) => isPartOf(language, tag));
  return hears && (sourceRateHz === undefined || sourceRateHz >= Math.min(...sampleRatesHz));
}

function isPartOf(language: string, tag: string): boolean {
  const [wanted, offered] = [language.toLowerCase(), tag.toLowerCase()];
  return wanted === offered || wanted.startsWith(`${offered}-`) || offered.startsWith(`${wanted}-`);
}
