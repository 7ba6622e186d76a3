import { type Backend, type BackendPurpose, type StartedBackend, startBackend } from '../model/backend.ts';

const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * Starts a tensor backend for this process. The wasm backend's module adds listeners that print its whole source on any
 * error of ours; they are taken away again. @throws UndertoneError NO_BACKEND
 */
export async function startTensorBackend(
  wanted: Backend | 'auto' = 'auto',
  purpose: BackendPurpose = 'live',
): Promise<StartedBackend> {
  const before = EVENTS.map((event) => process.listeners(event as 'uncaughtException'));
  const started = await startBackend(wanted, purpose);
  EVENTS.forEach((event, i) => {
    for (const listener of process.listeners(event as 'uncaughtException'))
      if (!before[i]?.includes(listener)) process.removeListener(event, listener);
  });
  return started;
}
