import type { LivePolicy } from '../config.ts';
import { UndertoneError } from '../errors.ts';
import type { ConsumerHello, ProducerHello } from '../protocol/live.ts';
import { type Principal, requireScope } from './access.ts';
import { checkPurpose } from './policy.ts';
import type { LiveSession } from './session.ts';
import type { Sessions } from './sessions.ts';

/** Who comes, where to, under which policy. */
export type Entering = { readonly principal: Principal; readonly sessions: Sessions; readonly policy: LivePolicy };

/**
 * Returns what finds the session of a producer's hello: that of its token, that which it names, or a new one. A token
 * belongs to its session and, when it names one, to its participant; only a key begins a session by itself.
 */
export function enterAsProducer({ principal, sessions, policy }: Entering): (hello: ProducerHello) => LiveSession {
  return (hello) => {
    const id = principal.session ?? hello.session;
    requireScope(principal, 'produce', hello.session);
    const found = id === undefined ? undefined : sessions.find(id);
    if (found?.ended !== undefined) throw new UndertoneError('SESSION_ENDED', 'the session is over');
    if (found?.isPublished) throw new UndertoneError('FORBIDDEN', 'this session takes no producers');
    if (found) return found;
    if (hello.resume) throw new UndertoneError('RESUME_FAILED', 'there is no such session any more');
    if (principal.session !== undefined) throw new UndertoneError('SESSION_NOT_FOUND', 'there is no such session');
    const { purpose, exception } = hello;
    checkPurpose(purpose, policy);
    return sessions.create({ ...(purpose && { purpose }), ...(exception && { exception }) }, id);
  };
}

/** Finds the session of a consumer's hello. @throws UndertoneError FORBIDDEN, SESSION_NOT_FOUND, BAD_MESSAGE */
export function enterAsConsumer(hello: ConsumerHello, principal: Principal, sessions: Sessions): LiveSession {
  const id = principal.session ?? hello.session;
  requireScope(principal, 'consume', hello.session);
  if (id === undefined) throw new UndertoneError('BAD_MESSAGE', 'hello must name a session');
  return sessions.get(id);
}
