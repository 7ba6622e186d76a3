import type { ErrorMessage, ProducerHello, ProducerMessage, ProducerWelcome } from '../protocol/live.ts';
import { changesSince, introduce, type Introduction } from './introduction.ts';
import type { MediaClock } from './mediaClock.ts';
import type { ProduceOptions } from './options.ts';
import type { Roster } from './roster.ts';

/** How a producer begins a session, and goes on with it after a drop. */
export type Handshake = {
  /** The id of the session, once the server has said it or it was given. */
  readonly session: string | undefined;
  hello(): ProducerHello;
  /** Takes the welcome, and returns what the server has to be told next. `isNewClock`: media times begin anew. */
  welcomed(welcome: ProducerWelcome): { readonly changes: readonly ProducerMessage[]; readonly isNewClock: boolean };
  /** A server that does not know our token any more may be told everything anew. */
  forgives(error: ErrorMessage | undefined): boolean;
};

const NOBODY: Introduction = { participants: [], streams: [] };

/** Returns a handshake that has not begun. */
export function createHandshake(
  roster: Roster,
  clock: MediaClock,
  options: ProduceOptions & { readonly session?: string },
): Handshake {
  const { purpose, exception, client } = options;
  let session = options.session;
  let resume: ProducerHello['resume'];
  let said = NOBODY;
  return {
    get session() {
      return session;
    },
    hello() {
      const common = { type: 'hello', v: 1, ...(session !== undefined && { session }) } as const;
      said = resume ? NOBODY : introduce(roster);
      if (resume) return { ...common, ...said, resume };
      clock.helloSent();
      return {
        ...common,
        ...(purpose && { purpose }),
        ...(exception && { exception }),
        ...(client !== undefined && { client }),
        ...said,
      };
    },
    welcomed(welcome) {
      const { isResumed, resumeToken, epoch } = welcome;
      const isNewClock = !isResumed && clock.begun();
      session = welcome.session;
      resume = { token: resumeToken, epoch };
      return { changes: changesSince(said, welcome, roster), isNewClock };
    },
    forgives(error) {
      if (error?.code !== 'RESUME_FAILED' || !resume) return false;
      resume = undefined;
      return true;
    },
  };
}
