/** How it is known who speaks. `unknown` is said aloud and never guessed. */
export const SPEAKER_SOURCES = ['track', 'channel', 'captions', 'rttm', 'unknown'] as const;
/** One way of knowing who speaks. */
export type SpeakerSource = (typeof SPEAKER_SOURCES)[number];

/** Someone to whom speech is attributed. `id` is stable in a session; `name` is what the source called them. */
export type Speaker = { readonly id: string; readonly name: string; readonly source: SpeakerSource };

/** The speaker of speech that nothing attributes to anyone. */
export const UNKNOWN_SPEAKER: Speaker = { id: 'unknown', name: 'unknown', source: 'unknown' };
