import { filter, type MonoTypeOperatorFunction } from 'rxjs';
import type { PrivacyMode } from '../domain/modality.ts';
import type { Observation } from '../domain/observation.ts';

/**
 * Emits the observations that the privacy mode lets anyone see, each at once and unchanged: in `text-only` no audio
 * stream, voice, turn, video stream, camera or picture exists for the operators after this one, and in `no-face` no
 * stream or picture of a face; faults always pass. Nothing is held back.
 */
export function respectPrivacy(privacy: PrivacyMode): MonoTypeOperatorFunction<Observation> {
  return filter((observation) => {
    if (privacy === 'no-face') return !isOfFace(observation);
    return privacy === 'none' || isText(observation);
  });
}

function isOfFace(observation: Observation): boolean {
  if (observation.type === 'visual') return observation.modality === 'face';
  return observation.type === 'streamOpened' && observation.kind === 'face';
}

function isText(observation: Observation): boolean {
  switch (observation.type) {
    case 'streamOpened':
      return observation.kind === 'captions';
    case 'voice':
    case 'speakerTurn':
    case 'camera':
    case 'visual':
      return false;
    case 'streamClosed':
    case 'streamInterrupted':
    case 'streamRestored':
    case 'gap':
    case 'speakerNamed':
    case 'interim':
    case 'transcript':
    case 'consent':
    case 'time':
    case 'fault':
      return true;
  }
}
