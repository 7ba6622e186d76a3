import { concat, from, lastValueFrom, NEVER, of, throwError, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Observation } from '../../../src/domain/observation.ts';
import { UndertoneError } from '../../../src/errors.ts';
import { transcribeLive } from '../../../src/app/transcribe/transcribeLive.ts';
import type { Moment } from '../../../src/app/replay/timeline.ts';
import { RECOGNIZERS } from '../../../src/app/recognizers.ts';
import { openRecognizers } from '../../../src/app/transcribe/openRecognizers.ts';
import { transcribeRecording } from '../../../src/app/transcribe/transcribeRecording.ts';
import { createTranscription } from '../../../src/app/transcribe/transcription.ts';
import { createFakeRecognizer } from '../../support/fakeRecognizer.ts';
import { handTimers, voiceOf } from '../../support/spokenCall.ts';

const WORDS = [0, 1, 2, 0, 0, 0, 3, 4, 0];

function textsOf(observations: readonly Observation[]): string[] {
  return observations.flatMap((said) => (said.type === 'transcript' ? [said.text] : []));
}

function inOrder(observations: readonly Observation[]): boolean {
  return observations.every((said, index) => said.arrivalMs >= (observations[index - 1]?.arrivalMs ?? 0));
}

describe('transcribeRecording', () => {
  const moments = async function* (): AsyncGenerator<Moment> {
    for (const voice of voiceOf(WORDS)) yield { atMs: voice.arrivalMs, observations: [voice] };
  };
  const record = async (): Promise<Observation[]> => {
    const recognizers = [createFakeRecognizer('fake')];
    const all: Observation[] = [];
    const transcription = createTranscription({ recognizers, timers: handTimers() });
    for await (const { observations } of transcribeRecording(moments(), transcription)) all.push(...observations);
    return all;
  };

  it('puts transcripts among what was heard, in order of arrival, the last ones at the end', async () => {
    const all = await record();
    expect(textsOf(all)).toEqual(['w1 w2', 'w3 w4']);
    expect(inOrder(all)).toBe(true);
    expect(all.filter(({ type }) => type === 'voice')).toEqual(voiceOf(WORDS));
  });

  it('says the same every time', async () => {
    expect(await record()).toEqual(await record());
  });

  it('ends recognition when nobody reads on', async () => {
    const fake = createFakeRecognizer('fake');
    const transcription = createTranscription({ recognizers: [fake], timers: handTimers() });
    for await (const { atMs } of transcribeRecording(moments(), transcription)) if (atMs > 500) break;
    expect(fake.opened()).toBe(1);
    expect(fake.streams()).toBe(0);
  });
});

describe('transcribeLive', () => {
  it('passes everything on at once and in order, and the last finals before it completes', async () => {
    const options = { recognizers: [createFakeRecognizer('fake')], timers: handTimers() };
    const all = await lastValueFrom(transcribeLive(from(voiceOf(WORDS)), options).pipe(toArray()));
    expect(textsOf(all)).toEqual(['w1 w2', 'w3 w4']);
    expect(inOrder(all)).toBe(true);
    expect(all.filter(({ type }) => type === 'voice')).toEqual(voiceOf(WORDS));
  });

  it('leaves out the words of captions that it was asked to replace, and passes on the rest of them', async () => {
    const captions = { type: 'streamOpened', arrivalMs: 0, streamId: 'words', kind: 'captions' } as const;
    const sound = { type: 'streamOpened', arrivalMs: 0, streamId: 'audio', kind: 'audio' } as const;
    const cue = { type: 'transcript', arrivalMs: 0, streamId: 'words', startMs: 0, endMs: 9, text: 'cue' } as const;
    const options = { recognizers: [createFakeRecognizer('fake')], timers: handTimers() };
    const told = async (captioned: 'left' | 'recognized'): Promise<readonly Observation[]> =>
      lastValueFrom(
        transcribeLive(from([sound, captions, cue, ...voiceOf(WORDS)]), { ...options, captioned }).pipe(toArray()),
      );
    expect(textsOf(await told('left'))).toEqual(['cue']);
    const replaced = await told('recognized');
    expect(textsOf(replaced)).toEqual(['w1 w2', 'w3 w4']);
    expect(replaced).toContainEqual(captions);
  });

  it('does not wait for a recognizer that says nothing', () => {
    const silent = createFakeRecognizer('silent', () => ({ stallsAfterMs: 0 }));
    const seen: Observation[] = [];
    const subscription = transcribeLive(concat(from(voiceOf(WORDS)), NEVER), {
      recognizers: [silent],
      timers: handTimers(),
    }).subscribe((said) => seen.push(said));
    expect(seen).toHaveLength(voiceOf(WORDS).length);
    subscription.unsubscribe();
  });

  it('closes its recognizer streams on unsubscribing, and passes an error at once', async () => {
    const fake = createFakeRecognizer('fake');
    const options = { recognizers: [fake], timers: handTimers() };
    const subscription = transcribeLive(concat(from(voiceOf(WORDS)), NEVER), options).subscribe();
    for (let turn = 0; turn < 200; turn++) await Promise.resolve();
    expect(fake.streams()).toBe(1);
    subscription.unsubscribe();
    expect(fake.streams()).toBe(0);
    const failing = concat(
      of(...voiceOf([0])),
      throwError(() => new Error('lost')),
    );
    await expect(lastValueFrom(transcribeLive(failing, options))).rejects.toThrow('lost');
  });
});

describe('the recognizers of this product', () => {
  it.each(['deepgram', 'sherpa', 'whisper'])('says what is missing when %s has no key or model', async (name) => {
    await expect(RECOGNIZERS[name]?.({})).rejects.toMatchObject({ code: 'RECOGNIZER_MISSING' });
  });

  it('says so when the model is not there', async () => {
    const env = { UNDERTONE_WHISPER_MODEL: '/nothing/there.bin' };
    await expect(RECOGNIZERS['whisper']?.(env)).rejects.toMatchObject({ code: 'RECOGNIZER_MISSING' });
  });
});

describe('openRecognizers', () => {
  const available = {
    good: async () => createFakeRecognizer('good', undefined, { quality: 'demonstration' }),
    gone: () => Promise.reject(new UndertoneError('RECOGNIZER_MISSING', 'gone: install it')),
    odd: () => Promise.reject(new Error('a defect')),
  };

  it('opens what is there in the order asked for, and says what is not', async () => {
    const { recognizers, notices } = await openRecognizers(['gone', 'good', 'good'], available, {});
    expect(recognizers.map(({ name }) => name)).toEqual(['good']);
    expect(notices).toEqual([
      'Text comes from speech recognition: good (low accuracy, for demonstration).',
      'Not used: gone: install it.',
    ]);
  });

  it('gives each the environment, and says when sound leaves the machine', async () => {
    const cloud = async (env: Readonly<Record<string, string | undefined>>) =>
      createFakeRecognizer(env['NAME'] ?? '', undefined, { isLocal: false });
    const { notices } = await openRecognizers(['cloud'], { cloud }, { NAME: 'vendor' });
    expect(notices).toEqual(['Text comes from speech recognition: vendor (the sound of speech leaves this machine).']);
  });

  it('refuses a name it does not know, none at all, and when none is there', async () => {
    await expect(openRecognizers(['best'], available, {})).rejects.toMatchObject({ code: 'BAD_OPTION' });
    await expect(openRecognizers([], available, {})).rejects.toMatchObject({ code: 'BAD_OPTION' });
    await expect(openRecognizers(['gone'], available, {})).rejects.toMatchObject({ code: 'RECOGNIZER_MISSING' });
    await expect(openRecognizers(['odd'], available, {})).rejects.toThrow('a defect');
  });
});
