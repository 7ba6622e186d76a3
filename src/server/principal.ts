import type { Scope } from '../config.ts';

/** Who is at the other end, and what they may do. A token is bound to one session, a key to none. */
export type Principal = {
  /** The key that was used or that the token descends from; `token` when that is not known, `open` without keys. */
  readonly keyId: string;
  readonly scopes: ReadonlySet<Scope>;
  readonly session?: string;
  readonly participant?: string;
  readonly expiresAtMs?: number;
};
