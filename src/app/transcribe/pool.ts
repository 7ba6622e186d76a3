import type { Recognizer } from '../../adapter.ts';
import { createBreaker, DEFAULT_BREAKER, type Breaker, type BreakerSettings } from './breaker.ts';
import { createSeats, type Holder, type Seats } from './seats.ts';

/** What a stream needs of its recognizer. */
export type Needs = {
  readonly language?: string;
  readonly sourceRateHz?: number;
  readonly severalSpeakers?: boolean;
};

/** One recognizer of the pool, and whether it may be tried. */
export type Member = { readonly recognizer: Recognizer; readonly breaker: Breaker; spentMs: number };

/** Recognizers in the order in which they are preferred, shared by all streams of a session. */
export type Pool = {
  /**
   * The first that is fit, whose breaker is closed at `atMs`, which is within its budget and has room for one more stream (or
   * is `current`, which has a stream already); undefined when none is.
   */
  choose(needs: Needs, atMs: number, current?: Member): Member | undefined;
  /** Whether some would do but have no room: there is none because of the crowd. */
  isCrowded(needs: Needs, atMs: number): boolean;
  /** Whether a stream would take no seat of another. */
  isFree(member: Member): boolean;
  /** Takes a seat at a member that was chosen just now; call what is returned to give it back. */
  sit(member: Member, holder: Omit<Holder, 'party'>): () => void;
};

/** `budgetMs`: how much sound one recognizer is given in a session, all streams together. */
export type PoolSettings = { readonly breaker: BreakerSettings; readonly budgetMs: number };

/** Breakers as usual, no budget. */
export const DEFAULT_POOL: PoolSettings = { breaker: DEFAULT_BREAKER, budgetMs: Infinity };

/**
 * Returns a pool in which no recognizer has failed yet. What fails for one session is tried by the others all the same: what
 * made it fail may be theirs alone. @param seats Those that this session shares with others.
 */
export function createPool(
  recognizers: readonly Recognizer[],
  settings: PoolSettings = DEFAULT_POOL,
  seats: Seats = createSeats(),
): Pool {
  const party = {};
  const members = recognizers.map((recognizer): Member => ({
    recognizer,
    breaker: createBreaker(settings.breaker),
    spentMs: 0,
  }));
  const working = (needs: Needs, atMs: number): Member[] =>
    members.filter(
      ({ recognizer, breaker, spentMs }) =>
        isFit(recognizer, needs) && breaker.isAvailable(atMs) && spentMs < settings.budgetMs,
    );
  return {
    choose: (needs, atMs, current) =>
      working(needs, atMs).find((member) => member === current || seats.hasRoom(member.recognizer, party)),
    isCrowded: (needs, atMs) => working(needs, atMs).length > 0,
    isFree: ({ recognizer }) => seats.isFree(recognizer),
    sit: (member, holder) => seats.take(member.recognizer, { ...holder, party }),
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
