import type { Recognizer } from '../../adapter.ts';
import type { RecognizerTable } from '../recognizers.ts';
import { isUndertoneError, UndertoneError } from '../../errors.ts';

/** The recognizers that were asked for and are there, in that order, and what to say aloud of them. */
export type OpenedRecognizers = { readonly recognizers: readonly Recognizer[]; readonly notices: readonly string[] };

/**
 * Opens the recognizers of `names`. One that is missing is named in a notice while another is there.
 * @param option Where the names were given, for the error.
 * @throws UndertoneError BAD_OPTION for a name that is not in `available`; RECOGNIZER_MISSING or RECOGNIZER_FAILED when
 *   none is left
 */
export async function openRecognizers(
  names: readonly string[],
  available: RecognizerTable,
  env: Readonly<Record<string, string | undefined>>,
  option = '--asr',
): Promise<OpenedRecognizers> {
  const known = Object.keys(available);
  if (names.length === 0 || !names.every((name) => known.includes(name)))
    throw new UndertoneError('BAD_OPTION', `${option} takes one or more of: ${known.join(', ')}`);
  const recognizers: Recognizer[] = [];
  const problems: UndertoneError[] = [];
  for (const name of new Set(names)) {
    try {
      const opened = await available[name]?.(env);
      if (opened) recognizers.push(opened);
    } catch (error) {
      if (!isUndertoneError(error)) throw error;
      problems.push(error);
    }
  }
  const [first] = problems;
  if (recognizers.length === 0 && first) throw first;
  return {
    recognizers,
    notices: [sourceNotice(recognizers), ...problems.map(({ message }) => `Not used: ${message}.`)],
  };
}

function sourceNotice(recognizers: readonly Recognizer[]): string {
  const named = recognizers.map(({ name, capabilities: { isLocal, quality } }) => {
    const remarks = [
      ...(isLocal ? [] : ['the sound of speech leaves this machine']),
      ...(quality === 'demonstration' ? ['low accuracy, for demonstration'] : []),
    ];
    return remarks.length > 0 ? `${name} (${remarks.join('; ')})` : name;
  });
  return `Text comes from speech recognition: ${named.join(', then ')}.`;
}
