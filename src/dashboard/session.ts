import type { Role } from '../client/options.ts';
import type { Purpose } from '../protocol/live.ts';

type Token = { readonly token: string };
type Tokens = { readonly session: string; readonly tokens: Readonly<Partial<Record<Role, Token>>> };

/** A session of the server that this page came from. */
export type PageSession = {
  readonly session: string;
  /** A token for an attempt to connect; the server hands them out for a quarter of an hour at most. */
  token(role: Role): Promise<string>;
};

/** Returns a session that is there already, to be watched. */
export function watchSession(session: string): PageSession {
  return { session, token: (role) => freshToken(session, role, {}) };
}

/**
 * Begins a session, for one participant. An open server, which answers its own machine only, lets its own page do that; the page
 * holds no key.
 * @throws Error with what the server says when it refuses.
 */
export async function beginSession(purpose: Purpose, participant: string): Promise<PageSession> {
  const { session } = await post('/v1/sessions', { purpose, participant });
  return {
    session,
    token: (role) => freshToken(session, role, { participant }),
  };
}

async function freshToken(session: string, role: Role, body: object): Promise<string> {
  const { tokens } = await post(`/v1/sessions/${encodeURIComponent(session)}/tokens`, body);
  return tokens[role]?.token ?? '';
}

async function post(path: string, body: object): Promise<Tokens> {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const content = (await answer.json()) as Tokens & { readonly code?: string; readonly message?: string };
  if (!answer.ok) throw new Error(`${content.code ?? answer.status}: ${content.message ?? 'the server refused'}`);
  return content;
}
