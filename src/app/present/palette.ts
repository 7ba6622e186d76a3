import type { Style } from './paint.ts';

/** How an emotion is drawn: a colour told apart by colour-blind people, and a letter, since colour alone says nothing. */
export type Swatch = {
  readonly hex: string;
  /** The colour of text on top of `hex`. */
  readonly ink: string;
  readonly colour: NonNullable<Style['colour']>;
  readonly letter: string;
};

const swatch = (letter: string, hex: string, ink: string, ansi256: number, ansi16: number): Swatch => ({
  hex,
  ink,
  colour: { ansi256, ansi16 },
  letter,
});
const DARK = '#1b1b1b';
const LIGHT = '#ffffff';

const NEUTRAL: Swatch = swatch('N', '#b4b4b4', DARK, 248, 37);
const JOY: Swatch = swatch('J', '#e69f00', DARK, 214, 33);
const SURPRISE: Swatch = swatch('U', '#56b4e9', DARK, 81, 36);
const SADNESS: Swatch = swatch('S', '#0072b2', LIGHT, 33, 34);
const ANGER: Swatch = swatch('A', '#d55e00', LIGHT, 166, 31);
const DISGUST: Swatch = swatch('D', '#009e73', LIGHT, 36, 32);
const FEAR: Swatch = swatch('F', '#cc79a7', DARK, 175, 35);
const CALM: Swatch = swatch('C', '#f0e442', DARK, 227, 93);
const FRUSTRATION: Swatch = swatch('R', '#882255', LIGHT, 125, 95);

/** Source of the hues: Okabe and Ito, "Color Universal Design" (2008), with grey for neutral; wine is Paul Tol's. */
const KNOWN: ReadonlyMap<string, Swatch> = new Map([
  ['neutral', NEUTRAL],
  ['joy', JOY],
  ['happy', { ...JOY, letter: 'H' }],
  ['happiness', { ...JOY, letter: 'H' }],
  ['surprise', SURPRISE],
  ['surprised', SURPRISE],
  ['sadness', SADNESS],
  ['sad', SADNESS],
  ['anger', ANGER],
  ['angry', ANGER],
  ['disgust', DISGUST],
  ['disgusted', DISGUST],
  ['fear', FEAR],
  ['fearful', FEAR],
  ['calm', CALM],
  ['excited', { ...CALM, letter: 'E' }],
  ['frustrated', FRUSTRATION],
  ['frustration', FRUSTRATION],
]);

const OTHERS: readonly Swatch[] = [FRUSTRATION, CALM, DISGUST, FEAR, SURPRISE, ANGER, JOY, SADNESS];

/**
 * Returns how a label is drawn, the same in the terminal and in files. Labels we have no colour for get one by their
 * spelling, and their first letter in lower case, so that they are not taken for a known one.
 */
export function swatchOf(label: string): Swatch {
  const known = KNOWN.get(label.toLowerCase());
  if (known) return known;
  const sum = [...label].reduce((total, character) => total + (character.codePointAt(0) ?? 0), 0);
  const other = OTHERS[sum % OTHERS.length] ?? NEUTRAL;
  return { ...other, letter: /\p{L}/u.exec(label)?.[0].toLowerCase() ?? '?' };
}

const SPEAKERS: readonly NonNullable<Style['colour']>[] = [
  { ansi256: 117, ansi16: 96 },
  { ansi256: 222, ansi16: 93 },
  { ansi256: 183, ansi16: 95 },
  { ansi256: 156, ansi16: 92 },
  { ansi256: 217, ansi16: 91 },
  { ansi256: 152, ansi16: 94 },
];

/** Returns the style of a speaker's name; `order` counts speakers from 0 as they appear, and colours repeat after six. */
export function speakerStyle(order: number): Style {
  const colour = SPEAKERS[order % SPEAKERS.length];
  return colour ? { bold: true, colour } : { bold: true };
}
