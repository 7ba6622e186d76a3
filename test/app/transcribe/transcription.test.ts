import { describe, expect, it } from 'vitest';
import type { Recognizer } from '../../../src/adapter.ts';
import type { Modality } from '../../../src/domain/modality.ts';
import type { Observation, StreamOpened, Transcript } from '../../../src/domain/observation.ts';
import { speakerFromName } from '../../../src/domain/speaker.ts';
import { createSeats } from '../../../src/app/transcribe/seats.ts';
import { createTranscription, type TranscriptionOptions } from '../../../src/app/transcribe/transcription.ts';
import { createFakeRecognizer } from '../../support/fakeRecognizer.ts';
import { handTimers, voiceOf } from '../../support/spokenCall.ts';

/** Twelve words in three stretches of speech, with pauses of 750 ms. */
const CALL = [0, 1, 2, 3, 4, 0, 0, 0, 5, 6, 7, 8, 0, 0, 0, 9, 10, 11, 12, 0, 0, 0];
const ALL = CALL.filter((word) => word > 0).map((word) => `w${word}`);

async function transcribe(
  recognizers: readonly Recognizer[],
  observations: readonly Observation[] = voiceOf(CALL),
  options: Partial<TranscriptionOptions> = {},
): Promise<readonly Observation[]> {
  const transcription = createTranscription({ recognizers, timers: handTimers(), ...options });
  const said: Observation[] = [];
  for (const observation of observations) {
    transcription.hear(observation);
    await transcription.settle();
    said.push(...transcription.drain(observation.arrivalMs));
  }
  await transcription.end();
  said.push(...transcription.drain(observations.at(-1)?.arrivalMs ?? 0));
  transcription.close();
  return said;
}

function transcriptsOf(said: readonly Observation[]): Transcript[] {
  return said.filter((observation): observation is Transcript => observation.type === 'transcript');
}

function wordsOf(said: readonly Observation[]): string[] {
  return transcriptsOf(said).flatMap(({ text }) => text.split(' '));
}

function audioOpened(more: Partial<StreamOpened> = {}): StreamOpened {
  return { type: 'streamOpened', arrivalMs: 0, streamId: 'audio', kind: 'audio', ...more };
}

describe('createTranscription', () => {
  it('gives a transcript for each stretch of speech, with the times of the session', async () => {
    const said = await transcribe([createFakeRecognizer('fake')]);
    expect(transcriptsOf(said).map(({ text }) => text)).toEqual(['w1 w2 w3 w4', 'w5 w6 w7 w8', 'w9 w10 w11 w12']);
    const second = transcriptsOf(said)[1];
    expect(Math.abs((second?.startMs ?? 0) - 2_000)).toBeLessThanOrEqual(300);
    expect(second?.words).toHaveLength(4);
    expect(second?.endMs).toBeLessThanOrEqual(3_300);
  });

  it('says interims on the way, each from the beginning of the speech that goes on', async () => {
    const said = await transcribe([createFakeRecognizer('fake')]);
    const interims = said.filter(({ type }) => type === 'interim');
    expect(interims).toHaveLength(12);
    expect(interims[1]).toMatchObject({ streamId: 'asr:audio', text: 'w1 w2' });
  });

  it('has the text when 500 ms of pause end the utterance', async () => {
    const said = transcriptsOf(await transcribe([createFakeRecognizer('fake')]));
    expect((said[0]?.arrivalMs ?? Infinity) - 1_250).toBeLessThanOrEqual(500);
  });

  it('prepares a local recognizer when a stream opens, and no other before there is speech', async () => {
    const [local, remote] = [true, false].map((isLocal) => createFakeRecognizer('fake', undefined, { isLocal }));
    if (!local || !remote) throw new Error('two were made');
    for (const recognizer of [local, remote]) await transcribe([recognizer], [audioOpened(), ...voiceOf([0, 0])]);
    expect([local.opened(), remote.opened()]).toEqual([1, 0]);
  });

  it('prepares nothing where that would take the room of another', async () => {
    const fake = createFakeRecognizer('fake', undefined, { maxStreams: 1 });
    await transcribe([fake], [audioOpened(), audioOpened({ streamId: 'other' }), ...voiceOf([0, 0])]);
    expect(fake.opened()).toBe(1);
  });

  it('gives a recognizer no silence, but the moment before speech', async () => {
    const fake = createFakeRecognizer('fake');
    await transcribe(
      [fake],
      [...voiceOf([0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0]), ...voiceOf(Array<number>(40).fill(0), 'audio', 3_250)],
    );
    expect(fake.heardMs()).toBeLessThanOrEqual(300 + 500 + 300);
    expect(fake.heardMs()).toBeGreaterThanOrEqual(300 + 500);
  });

  it('opens nothing and says nothing while nobody speaks', async () => {
    const fake = createFakeRecognizer('fake');
    expect(await transcribe([fake], voiceOf(Array<number>(20).fill(0)))).toEqual([]);
    expect(fake.opened()).toBe(0);
  });

  it.each([0, 100, 700, 1_000, 1_500, 2_050, 2_600, 3_300])(
    'loses and doubles no word when the recognizer dies after %i ms of sound',
    async (diesAfterMs) => {
      const dying = createFakeRecognizer('dying', () => ({ diesAfterMs }));
      const said = await transcribe([dying, createFakeRecognizer('next')]);
      expect(wordsOf(said)).toEqual(ALL);
      expect(said.filter(({ type }) => type === 'fault')).toHaveLength(1);
    },
  );

  it('goes on with the next when one cannot start, and says so', async () => {
    const broken = createFakeRecognizer('broken', () => ({ failsToOpen: true }));
    const said = await transcribe([broken, createFakeRecognizer('next')]);
    expect(wordsOf(said)).toEqual(ALL);
    expect(said.find(({ type }) => type === 'fault')).toMatchObject({
      code: 'RECOGNIZER_FAILED',
      message: 'broken does not start',
    });
  });

  it('takes out a recognizer that takes sound and never answers', async () => {
    const timers = handTimers();
    const stalling = createFakeRecognizer('stalling', () => ({ stallsAfterMs: 600 }));
    const next = createFakeRecognizer('next');
    const transcription = createTranscription({ recognizers: [stalling, next], timers });
    for (const voice of voiceOf(CALL)) transcription.hear(voice);
    const settled = transcription.settle();
    for (let turn = 0; turn < 200; turn++) await Promise.resolve();
    expect(timers.pending()).toBe(1);
    timers.runOut();
    await settled;
    await transcription.end();
    const said = transcription.drain(10_000);
    expect(wordsOf(said)).toEqual(ALL);
    expect(said.find(({ type }) => type === 'fault')).toMatchObject({ code: 'RECOGNIZER_FAILED' });
    expect(timers.pending()).toBe(0);
  });

  it('says that text is missing while nobody works, and loses no word when one works again', async () => {
    const once = createFakeRecognizer('once', (opened) => (opened === 0 ? { diesAfterMs: 900 } : {}));
    const said = await transcribe([once], voiceOf([...CALL, ...Array<number>(20).fill(0), 13, 14, 0, 0, 0]));
    expect(wordsOf(said)).toEqual([...ALL, 'w13', 'w14']);
    const states = said.filter(({ type }) => type === 'streamInterrupted' || type === 'streamRestored');
    expect(states).toMatchObject([
      { type: 'streamInterrupted', streamId: 'asr:audio', reason: 'transcriber_down' },
      { type: 'streamRestored', streamId: 'asr:audio' },
    ]);
  });

  it('returns to the preferred recognizer with the first speech after its breaker closed', async () => {
    const first = createFakeRecognizer('first', (opened) => (opened === 0 ? { diesAfterMs: 300 } : {}));
    const second = createFakeRecognizer('second');
    const pause = Array<number>(24).fill(0);
    const said = await transcribe([first, second], voiceOf([0, 1, 2, ...pause, 3, 4, 0, 0, 0]));
    expect(wordsOf(said)).toEqual(['w1', 'w2', 'w3', 'w4']);
    expect([first.opened(), second.opened()]).toEqual([2, 1]);
    expect(second.streams()).toBe(0);
  });

  it('goes on with the next when the budget of one is spent', async () => {
    const dear = createFakeRecognizer('dear');
    const cheap = createFakeRecognizer('cheap');
    const pool = { breaker: { baseMs: 5_000, maxMs: 300_000 }, budgetMs: 2_000 };
    const said = await transcribe([dear, cheap], voiceOf(CALL), { pool });
    expect(wordsOf(said)).toEqual(ALL);
    expect(dear.heardMs()).toBeLessThan(4_000);
    expect(cheap.opened()).toBe(1);
  });

  it('never gives 8 kHz sound to a recognizer that is made for 16 kHz', async () => {
    const wide = createFakeRecognizer('wide', undefined, { sampleRatesHz: [16_000, 48_000] });
    const any = createFakeRecognizer('any');
    expect(wordsOf(await transcribe([wide, any], [audioOpened({ sampleRateHz: 8_000 }), ...voiceOf(CALL)]))).toEqual(
      ALL,
    );
    expect([wide.opened(), any.opened()]).toEqual([0, 1]);
  });

  it('chooses a recognizer that knows the language, and says which language it is', async () => {
    const english = createFakeRecognizer('english');
    const german = createFakeRecognizer('german', undefined, { languages: ['de'] });
    const said = await transcribe([english, german], [audioOpened({ language: 'de-AT' }), ...voiceOf(CALL)]);
    expect(english.opened()).toBe(0);
    expect(transcriptsOf(said).every(({ language }) => language === 'de-AT')).toBe(true);
  });

  it('keeps participants apart, each with their own speaker', async () => {
    const [ada, ben] = [speakerFromName('Ada', 'track'), speakerFromName('Ben', 'track')];
    const opened = (streamId: string, speaker: typeof ada): Observation => ({
      type: 'streamOpened',
      arrivalMs: 0,
      streamId,
      kind: 'audio',
      speaker,
    });
    const both = [...voiceOf([0, 1, 2, 0, 0, 0], 'a'), ...voiceOf([0, 0, 3, 4, 0, 0], 'b')];
    both.sort((x, y) => x.arrivalMs - y.arrivalMs);
    const said = await transcribe([createFakeRecognizer('fake')], [opened('a', ada), opened('b', ben), ...both]);
    expect(transcriptsOf(said).map(({ text, speaker }) => [speaker?.id, text])).toEqual([
      ['Ada', 'w1 w2'],
      ['Ben', 'w3 w4'],
    ]);
    expect(said.filter(({ type }) => type === 'streamOpened')).toMatchObject([
      { streamId: 'asr:a', kind: 'captions', speaker: ada },
      { streamId: 'asr:b', kind: 'captions', speaker: ben },
    ]);
  });

  it('calls those whom a recognizer tells apart S1 and S2', async () => {
    const inner = createFakeRecognizer('fake', undefined, { diarization: true });
    const telling: Recognizer = {
      ...inner,
      open: (options) =>
        inner.open({
          ...options,
          onEvent: (event) => options.onEvent({ ...event, speakerLabel: event.text.startsWith('w5') ? '7' : '0' }),
        }),
    };
    const said = transcriptsOf(await transcribe([telling]));
    expect(said.map(({ speaker }) => speaker?.id)).toEqual(['S1', 'S2', 'S1']);
    expect(said[0]?.speaker?.source).toBe('diarizer');
  });

  it('listens to nobody who does not allow text, from then on until they do', async () => {
    const ada = speakerFromName('Ada', 'track');
    const consent = (arrivalMs: number, modalities: readonly Modality[]): Observation => ({
      type: 'consent',
      arrivalMs,
      speaker: ada,
      modalities,
      reason: 'consent',
    });
    const fake = createFakeRecognizer('fake');
    const said = await transcribe(
      [fake],
      [
        { type: 'streamOpened', arrivalMs: 0, streamId: 'audio', kind: 'audio', speaker: ada },
        consent(0, ['audio']),
        ...voiceOf([0, 1, 2, 0, 0, 0]),
        consent(1_500, ['audio', 'text']),
        ...voiceOf([0, 3, 4, 0, 0, 0, 5], 'audio', 1_500),
        consent(3_250, []),
        ...voiceOf([6, 0, 0, 0], 'audio', 3_250),
      ],
    );
    expect(wordsOf(said)).toEqual(['w3', 'w4']);
    expect(fake.streams()).toBe(0);
    expect(fake.heardMs()).toBeLessThan(2_000);
  });

  it('keeps 30 s for a recognizer to come, tells once that older speech is lost, and goes on', async () => {
    const broken = createFakeRecognizer('broken', () => ({ failsToOpen: true }));
    const words = Array.from({ length: 200 }, (_, index) => (index % 20 < 17 ? index + 1 : 0));
    const said = await transcribe([broken], voiceOf(words));
    expect(wordsOf(said)).toEqual([]);
    expect(said.filter((fault) => fault.type === 'fault' && fault.code === 'LIMIT_EXCEEDED')).toHaveLength(1);
  });

  it('ends at once when it is closed', async () => {
    const fake = createFakeRecognizer('fake');
    const transcription = createTranscription({ recognizers: [fake], timers: handTimers() });
    for (const voice of voiceOf([0, 1, 2])) transcription.hear(voice);
    await transcription.settle();
    transcription.close();
    expect(fake.streams()).toBe(0);
  });

  describe('with captions', () => {
    const ada = speakerFromName('Ada', 'track');
    const captions = (type: 'streamOpened' | 'streamClosed', arrivalMs: number): Observation =>
      type === 'streamOpened'
        ? { type, arrivalMs, streamId: 'words', kind: 'captions', speaker: ada }
        : { type, arrivalMs, streamId: 'words', reason: 'track_ended' };

    it('leaves the speech to them while they are open, and takes over when they end', async () => {
      const fake = createFakeRecognizer('fake');
      const said = await transcribe(
        [fake],
        [
          audioOpened({ speaker: ada }),
          captions('streamOpened', 0),
          ...voiceOf([0, 1, 2, 0, 0, 0]),
          captions('streamClosed', 1_500),
          ...voiceOf([0, 3, 4, 0, 0, 0], 'audio', 1_500),
          captions('streamOpened', 3_000),
          ...voiceOf([0, 5, 6, 0, 0, 0], 'audio', 3_000),
        ],
      );
      expect(wordsOf(said)).toEqual(['w3', 'w4']);
      const states = said.filter(({ type }) => type === 'streamOpened' || type === 'streamClosed');
      expect(states.map(({ type }) => type)).toEqual(['streamOpened', 'streamClosed', 'streamOpened', 'streamClosed']);
      expect(fake.streams()).toBe(0);
    });

    it('recognizes speech that has captions when asked to', async () => {
      const observations = [audioOpened({ speaker: ada }), captions('streamOpened', 0), ...voiceOf([0, 1, 2, 0, 0, 0])];
      const said = await transcribe([createFakeRecognizer('fake')], observations, { captioned: 'recognized' });
      expect(wordsOf(said)).toEqual(['w1', 'w2']);
    });
  });

  it('gives the words of a stream that is interrupted at once, and goes on when it comes back', async () => {
    const said = await transcribe(
      [createFakeRecognizer('fake')],
      [
        ...voiceOf([0, 1, 2]),
        { type: 'streamInterrupted', arrivalMs: 750, streamId: 'audio', reason: 'muted' },
        { type: 'time', arrivalMs: 800 },
        ...voiceOf([3, 4, 0, 0, 0], 'audio', 5_000),
      ],
    );
    expect(transcriptsOf(said).map(({ text, arrivalMs }) => [text, arrivalMs <= 800])).toEqual([
      ['w1 w2', true],
      ['w3 w4', false],
    ]);
  });

  it('goes on with what was being said when a stream that stalled comes back, and ends it when it does not', async () => {
    const stalled = (arrivalMs: number): Observation => ({
      type: 'streamInterrupted',
      arrivalMs,
      streamId: 'audio',
      reason: 'stalled',
    });
    const said = await transcribe(
      [createFakeRecognizer('fake')],
      [
        ...voiceOf([0, 1, 2]),
        stalled(750),
        { type: 'streamRestored', arrivalMs: 760, streamId: 'audio' },
        ...voiceOf([3, 4], 'audio', 750),
        stalled(1_250),
        { type: 'time', arrivalMs: 6_249 },
        { type: 'time', arrivalMs: 6_250 },
      ],
    );
    expect(transcriptsOf(said).map(({ text, arrivalMs }) => [text, arrivalMs])).toEqual([['w1 w2 w3 w4', 6_250]]);
  });

  it('gives the last words of a stream that ends, closes its text and frees the recognizer', async () => {
    const fake = createFakeRecognizer('fake');
    const said = await transcribe(
      [fake],
      [
        audioOpened(),
        ...voiceOf([0, 1, 2]),
        { type: 'streamClosed', arrivalMs: 800, streamId: 'audio', reason: 'track_ended' },
        { type: 'time', arrivalMs: 900 },
      ],
    );
    expect(wordsOf(said)).toEqual(['w1', 'w2']);
    expect(said.at(-1)).toMatchObject({ type: 'streamClosed', streamId: 'asr:audio' });
    expect(fake.streams()).toBe(0);
  });

  it('does not listen to a stream of everybody while somebody does not allow text', async () => {
    const fake = createFakeRecognizer('fake');
    const ben = speakerFromName('Ben', 'track');
    const withheld: Observation = {
      type: 'consent',
      arrivalMs: 0,
      speaker: ben,
      modalities: ['audio'],
      reason: 'consent',
    };
    expect(wordsOf(await transcribe([fake], [audioOpened(), withheld, ...voiceOf(CALL)]))).toEqual([]);
    expect(fake.heardMs()).toBe(0);
  });

  describe('in a crowd', () => {
    it('goes on with the next recognizer where the first has no room, and says `overload` where none has', async () => {
      const [first, second] = [1, 1].map((maxStreams) => createFakeRecognizer('fake', undefined, { maxStreams }));
      if (!first || !second) throw new Error('two were made');
      const both = ['a', 'b', 'c'].flatMap((id, index) => voiceOf([0, 1 + index, 4 + index, 0, 0, 0], id));
      both.sort((x, y) => x.arrivalMs - y.arrivalMs);
      const said = await transcribe([first, second], both);
      expect(wordsOf(said).toSorted()).toEqual(['w1', 'w2', 'w4', 'w5']);
      expect([first.opened(), second.opened()]).toEqual([1, 1]);
      expect(said.filter(({ type }) => type === 'streamInterrupted')).toMatchObject([
        { streamId: 'asr:c', reason: 'overload' },
      ]);
      expect(said.some(({ type }) => type === 'fault')).toBe(false);
    });

    it('gives each of two sessions half of the streams, and loses no word of those who make room', async () => {
      const fake = createFakeRecognizer('fake', undefined, { maxStreams: 2 });
      const next = createFakeRecognizer('next');
      const seats = createSeats();
      const [big, small] = [0, 1].map(() =>
        createTranscription({ recognizers: [fake, next], timers: handTimers(), seats }),
      );
      if (!big || !small) throw new Error('two were made');
      const heard: Observation[] = [];
      const play = async (to: typeof big, observations: readonly Observation[]): Promise<void> => {
        for (const observation of observations) {
          to.hear(observation);
          await to.settle();
        }
      };
      const blocks = voiceOf([0, 1, 2, 3, 4, 0, 0, 0], 'b');
      await play(big, [...voiceOf([1, 2], 'a'), ...blocks.slice(0, 14)]);
      await play(small, voiceOf([5, 6, 0, 0, 0], 'c'));
      await play(big, blocks.slice(14));
      await big.end();
      await small.end();
      heard.push(...big.drain(2_000), ...small.drain(2_000));
      expect(wordsOf(heard).toSorted()).toEqual(['w1', 'w1', 'w2', 'w2', 'w3', 'w4', 'w5', 'w6']);
      expect(next.opened()).toBe(1);
      expect([fake.opened(), fake.streams(), next.streams()]).toEqual([3, 0, 0]);
    });
  });
});
