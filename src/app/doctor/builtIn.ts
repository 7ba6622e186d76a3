import type { Recognizer } from '../../adapter.ts';
import type { RecognizerTable } from '../recognizers.ts';
import type { Probe } from '../doctor.ts';

/** Returns a probe for a part that comes with undertone itself, saying what it reads. */
export function createBuiltInProbe(version: string, reads: string): Probe {
  return async () => ({ isFound: true, version: `reads ${reads}`, from: `undertone ${version}` });
}

/**
 * Returns the probe of the speech recognizers: found when one is, with a line for each, what it is fit for or why it is not
 * there. Nothing is recognized.
 */
export function createRecognizersProbe(recognizers: RecognizerTable, env: Environment): Probe {
  return async () => {
    const found = await Promise.all(
      Object.entries(recognizers).map(([name, open]) => describeRecognizer(name, () => open(env))),
    );
    const there = found.filter(({ isFound }) => isFound).map(({ name }) => name);
    const details = found.map(({ name, line }) => `${name}: ${line}`);
    if (there.length === 0) return { isFound: false, reason: details.join('; ') };
    return {
      isFound: true,
      version: there.join(', '),
      from: 'replay and serve --asr NAME',
      note: 'all of them:',
      details,
    };
  };
}

type Environment = Readonly<Record<string, string | undefined>>;
type Described = { readonly name: string; readonly isFound: boolean; readonly line: string };

async function describeRecognizer(name: string, open: () => Promise<Recognizer>): Promise<Described> {
  try {
    const recognizer = await open();
    await recognizer.close();
    const { quality, isLocal, languages } = recognizer.capabilities;
    const grade = quality === 'demonstration' ? 'low accuracy, for demonstration' : 'for production';
    const where = isLocal ? 'on this machine' : 'remote';
    return {
      name,
      isFound: true,
      line: `${where}, ${languages === 'any' ? 'any language' : languages.join(', ')}, ${grade}`,
    };
  } catch (error) {
    return { name, isFound: false, line: error instanceof Error ? error.message : 'cannot be opened' };
  }
}
