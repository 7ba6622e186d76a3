import type { ErrorCode, UndertoneError } from '../errors.ts';
import type { EndReason } from '../protocol/live.ts';

/**
 * Where a connection stands. `resumed` is `live` again after a drop, with nothing forgotten on the other side; `live` after
 * `reconnecting` means that the server began anew (`epoch` has risen).
 */
export type Status =
  /** `code`: why the attempt before failed; `UNREACHABLE` when nobody answered. */
  | { readonly state: 'connecting'; readonly attempt: number; readonly code?: ErrorCode }
  | { readonly state: 'live' | 'resumed'; readonly session: string; readonly epoch: number }
  /** `sinceMs`: when it was lost, on the clock of `now`. `closeCode`: how, 1006 when nobody said. */
  | {
      readonly state: 'reconnecting';
      readonly sinceMs: number;
      readonly attempt: number;
      readonly closeCode: number;
      readonly code?: ErrorCode;
    }
  /** For good. Without `error` it was meant: by us, or with `reason` by the server. */
  | {
      readonly state: 'closed';
      readonly closeCode: number;
      readonly error?: UndertoneError;
      readonly reason?: EndReason;
    };
