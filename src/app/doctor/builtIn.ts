import type { Probe } from '../doctor.ts';

/** Returns a probe for a part that comes with undertone itself, saying what it reads. */
export function createBuiltInProbe(version: string, reads: string): Probe {
  return async () => ({ isFound: true, version: `reads ${reads}`, from: `undertone ${version}` });
}

/** Returns the probe of the speech recognizers, of which this version has none: text comes from captions. */
export function createRecognizersProbe(): Probe {
  return async () => ({ isFound: false, reason: 'no recognizer adapter yet' });
}
