import { speakerFromName, type Speaker } from '../../domain/speaker.ts';

/** The speakers that recognizers tell apart on mixed audio: S1, S2 … in the order of their first words. */
export type Labels = { speakerOf(label: string): Speaker };

const MAX_LABELS = 512;

/** Returns labels of which none is known. A label keeps its speaker; beyond 512 all others share the last one. */
export function createLabels(): Labels {
  const known = new Map<string, Speaker>();
  return {
    speakerOf: (label) => {
      const speaker = known.get(label) ?? speakerFromName(`S${Math.min(known.size + 1, MAX_LABELS)}`, 'diarizer');
      if (known.size < MAX_LABELS) known.set(label, speaker);
      return speaker;
    },
  };
}
