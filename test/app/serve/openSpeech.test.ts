import { describe, expect, it } from 'vitest';
import type { Recognizer } from '../../../src/adapter.ts';
import { openSpeech } from '../../../src/app/serve/openSpeech.ts';
import { DEFAULT_SERVER_CONFIG } from '../../../src/config.ts';
import { createFakeRecognizer } from '../../support/fakeRecognizer.ts';
import { fakeTerminal } from '../../support/terminal.ts';

/** Recognizers `slow` and `other`, with what was asked of them to keep ready, in order. */
function table() {
  const asked: string[] = [];
  const create = (name: string) => async (): Promise<Recognizer> => ({
    ...createFakeRecognizer(name),
    keepReady: async (streams) => void asked.push(`${name} ${streams}`),
  });
  const plain = async (): Promise<Recognizer> => createFakeRecognizer('plain');
  return { asked, available: { slow: create('slow'), other: create('other'), plain } };
}

describe('openSpeech', () => {
  it('has the preferred recognizer ready for a call of two, and no other', async () => {
    const { asked, available } = table();
    const speech = await openSpeech(DEFAULT_SERVER_CONFIG, fakeTerminal(), { asr: ['slow', 'other'], available });
    expect(speech?.recognizers.map(({ name }) => name)).toEqual(['slow', 'other']);
    expect(asked).toEqual(['slow 2']);
  });

  it('takes those of the configuration unless told others, also one that is always ready', async () => {
    const { asked, available } = table();
    const config = { ...DEFAULT_SERVER_CONFIG, transcribers: ['plain'], transcribeCaptioned: true };
    const speech = await openSpeech(config, fakeTerminal(), { asr: undefined, available });
    expect(speech).toMatchObject({ recognizers: [{ name: 'plain' }], captioned: 'recognized' });
    expect(asked).toEqual([]);
  });

  it('opens nothing where none is named, and says BAD_OPTION where one is not known', async () => {
    const { available } = table();
    const open = (asr?: readonly string[]) => openSpeech(DEFAULT_SERVER_CONFIG, fakeTerminal(), { asr, available });
    expect(await open()).toBeUndefined();
    await expect(open(['nobody'])).rejects.toMatchObject({ code: 'BAD_OPTION' });
  });
});
