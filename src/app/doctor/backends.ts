import type { BackendPurpose, StartedBackend } from '../../model/backend.ts';
import type { Probe } from '../doctor.ts';

/** Starts the best backend for a purpose, as `startTensorBackend` does. */
type StartBackend = (wanted: 'auto', purpose: BackendPurpose) => Promise<StartedBackend>;

/**
 * Returns the probes of the backend that serves conversations and of the one that training would take, each with why not
 * the ones before it, one line each. The process has one backend, so the second waits for the first; and whatever
 * a graphics driver takes its time over cannot delay what analyzing recordings needs.
 */
export function createBackendProbes(start: StartBackend): { readonly live: Probe; readonly training: Probe } {
  let live: Promise<StartedBackend> | undefined;
  const startLive = (): Promise<StartedBackend> => (live ??= start('auto', 'live'));
  return {
    live: async () => found(await startLive()),
    training: async () => {
      await startLive().catch(() => undefined);
      return found(await start('auto', 'training'));
    },
  };
}

function found({ name, version, skipped }: StartedBackend): Awaited<ReturnType<Probe>> {
  const facts = { isFound: true, version: `tfjs ${version}`, from: `${name} backend` } as const;
  return skipped.length > 0 ? { ...facts, note: 'not used:', details: skipped } : facts;
}
