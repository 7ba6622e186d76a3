import type { OperatorFunction } from 'rxjs';
import type { Speaker } from '../domain/speaker.ts';
import { setBounded } from './bounded.ts';
import type { Classified } from './classify.ts';
import { stage } from './stage.ts';

/** Speakers whose names are remembered. */
const MAX_NAMES = 512;

/**
 * Emits what was concluded with the names that have become known: after a `speaker` draft, whoever was known as its
 * `speakerId` is called by it. Before this operator, and so for the model's memory of a speaker, they stay who they were.
 * Nothing is held back, so complete and error pass at once.
 */
export function nameSpeakers(): OperatorFunction<Classified, Classified> {
  return stage(() => {
    const names = new Map<string, Speaker>();
    const nameOf = (speaker: Speaker): Speaker => names.get(speaker.id) ?? speaker;
    const learn = (speakerId: string, speaker: Speaker): void => {
      for (const [id, known] of names) if (known.id === speakerId) names.set(id, speaker);
      setBounded(names, speakerId, speaker, MAX_NAMES);
    };
    return {
      next: (classified): readonly Classified[] => {
        switch (classified.type) {
          case 'speaker':
            learn(classified.speakerId, classified.speaker);
            return [classified];
          case 'utterance':
            return [{ ...classified, speaker: nameOf(classified.speaker) }];
          case 'interim':
            return [classified.speaker ? { ...classified, speaker: nameOf(classified.speaker) } : classified];
          case 'modality':
            return [classified.speaker ? { ...classified, speaker: nameOf(classified.speaker) } : classified];
          default:
            return [classified];
        }
      },
    };
  });
}
