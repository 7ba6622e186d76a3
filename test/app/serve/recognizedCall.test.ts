import { afterEach, describe, expect, it } from 'vitest';
import type { Insight } from '../../../src/domain/insight.ts';
import { hasText, say, startCall, startRecognizers } from './recognizedCall.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** One person: two utterances, a pause that a breaker outlasts, and one more. */
const MONOLOGUE = [
  ...say(500, 0, 'good morning everyone'),
  ...say(2_500, 0, 'never mind we were waiting'),
  ...say(10_500, 0, 'then let us begin'),
];
const ADA = { id: 'ada', name: 'Ada' };

const setUp = async (
  script: Parameters<typeof startCall>[0],
  plans: Parameters<typeof startRecognizers>[1][],
  more: Parameters<typeof startCall>[2],
) => {
  const deepgram = await startRecognizers(script, ...plans);
  closing.push(deepgram.close);
  const call = await startCall(script, deepgram.recognizers, more);
  closing.push(call.close);
  return { ...deepgram, call };
};
const finalsOf = (insights: readonly Insight[]): string[] =>
  insights.flatMap((insight) =>
    insight.type === 'utterance' && insight.status === 'final' ? [insight.utteranceId] : [],
  );

describe('a live call whose speech is recognized', () => {
  it('tells what is being said, then gives each utterance its words, of the participant whose microphone it is', async () => {
    const { call } = await setUp(MONOLOGUE, [[]], { participants: [ADA], participant: 'ada' });
    call.send(1_000);
    expect(await call.seen(({ type }) => type === 'interim')).toMatchObject({
      streamId: 'asr:mic',
      speaker: { id: 'Ada' },
    });
    call.send(2_300);
    await call.seen(hasText('good morning everyone'));
    call.send(4_700);
    await call.seen(hasText('never mind we were waiting'));
    call.send(12_500);
    await call.seen(hasText('then let us begin'));
    const utterances = await call.end();
    expect(utterances.map(({ text, speaker, startMs }) => [text, speaker.id, Math.round(startMs / 100)])).toEqual([
      ['good morning everyone', 'Ada', 5],
      ['never mind we were waiting', 'Ada', 25],
      ['then let us begin', 'Ada', 105],
    ]);
    const finals = finalsOf(call.consumer.insights);
    expect(new Set(finals).size).toBe(finals.length);
    expect(call.consumer.insights.at(-1)).toMatchObject({ type: 'summary', droppedWords: 0, faults: 0 });
  });

  it('is finished by the next recognizer when one dies in mid-utterance, which is tried again after its delay', async () => {
    const dies = { fails: { afterMs: 1_900, how: 'close', code: 1008, reason: 'DATA-0000' } } as const;
    const { call, peers } = await setUp(MONOLOGUE, [[dies], []], { participants: [ADA], participant: 'ada' });
    call.send(2_300);
    await call.seen(hasText('good morning everyone'));
    call.send(4_700);
    await call.seen(hasText('never mind we were waiting'));
    expect(peers.map(({ seen }) => seen.length)).toEqual([1, 1]);
    call.send(12_500);
    await call.seen(hasText('then let us begin'));
    expect(peers.map(({ seen }) => seen.length)).toEqual([2, 1]);
    const utterances = await call.end();
    expect(utterances.map(({ text }) => text)).toEqual([
      'good morning everyone',
      'never mind we were waiting',
      'then let us begin',
    ]);
    expect(call.consumer.insights.filter(({ type }) => type === 'fault')).toMatchObject([
      { code: 'RECOGNIZER_FAILED', streamId: 'asr:mic' },
    ]);
    expect(finalsOf(call.consumer.insights)).toHaveLength(3);
    expect(call.consumer.insights.at(-1)).toMatchObject({ type: 'summary', droppedWords: 0 });
  });

  it('says `transcriber_down` while none works, and loses none of the words said meanwhile', async () => {
    const dies = { fails: { afterMs: 1_900, how: 'close', code: 1008, reason: 'DATA-0000' } } as const;
    const script = [...MONOLOGUE, ...say(5_500, 0, 'is anybody there')];
    const { call } = await setUp(script, [[dies]], { participants: [ADA], participant: 'ada' });
    call.send(2_300);
    await call.seen(hasText('good morning everyone'));
    call.send(4_700);
    const down = await call.seen((insight) => insight.type === 'modality' && insight.reason === 'transcriber_down');
    expect(down).toMatchObject({ modality: 'text', state: 'absent', speaker: { id: 'Ada' } });
    call.send(7_500);
    const missing = await call.seen((insight) => insight.type === 'utterance' && insight.startMs > 5_000);
    expect(missing).toMatchObject({ text: null, availability: { text: { share: 0, reason: 'transcriber_down' } } });
    call.send(12_500);
    await call.seen(hasText('then let us begin'));
    const utterances = await call.end();
    expect(utterances.map(({ text }) => text)).toEqual([
      'good morning everyone',
      'never mind we were waiting',
      'is anybody there',
      'then let us begin',
    ]);
    const states = call.consumer.insights.flatMap((insight) =>
      insight.type === 'modality' && insight.modality === 'text' && insight.speaker
        ? [insight.reason ?? insight.state]
        : [],
    );
    expect(states.slice(-3)).toEqual(['transcriber_down', 'present', 'track_ended']);
  });

  it('calls those on one microphone S1 and S2, over a broken connection, and by name once that is known', async () => {
    const script = [
      ...say(500, 0, 'good morning everyone'),
      ...say(2_500, 1, 'morning i am late'),
      ...say(4_500, 0, 'never mind we waited'),
      ...say(6_500, 1, 'then let us begin'),
      ...say(8_500, 0, 'here is the first slide'),
    ];
    const cut = { fails: { afterMs: 3_800, how: 'cut' } } as const;
    const { call, peers } = await setUp(script, [[cut]], { participants: [ADA] });
    for (const [index, text] of ['good morning everyone', 'morning i am late', 'never mind we waited'].entries()) {
      call.send(2_300 + 2_000 * index);
      await call.seen(hasText(text));
    }
    expect(peers[0]?.seen).toHaveLength(2);
    call.producer.say({ type: 'speaker', speaker: 'S1', participant: 'ada' });
    expect(await call.seen(({ type }) => type === 'speaker')).toMatchObject({
      speakerId: 'S1',
      speaker: { id: 'Ada', name: 'Ada' },
    });
    call.send(8_300);
    await call.seen(hasText('then let us begin'));
    call.send(11_500);
    await call.seen(hasText('here is the first slide'));
    const utterances = await call.end();
    expect(utterances.map(({ text, speaker }) => [speaker.id, text]).slice(-2)).toEqual([
      ['S2', 'then let us begin'],
      ['Ada', 'here is the first slide'],
    ]);
    const ids = call.consumer.insights.flatMap((insight) =>
      insight.type === 'utterance' && insight.text === 'never mind we waited' ? [insight.speaker.id] : [],
    );
    expect(ids[0]).toBe('S1');
    expect(ids.at(-1)).toBe('Ada');
    const summary = call.consumer.insights.at(-1);
    expect(summary).toMatchObject({ type: 'summary', droppedWords: 0 });
    expect(summary?.type === 'summary' && summary.speakers.map(({ speaker }) => speaker.id)).toEqual(['Ada', 'S2']);
  });

  it('hears sound that may not be measured for its words alone, where the policy says so', async () => {
    const { call } = await setUp(MONOLOGUE, [[]], { participants: [ADA], participant: 'ada', purpose: 'workplace' });
    call.send(2_300);
    const said = await call.seen(hasText('good morning everyone'));
    expect(said).toMatchObject({
      speaker: { id: 'Ada' },
      modalityWeights: { audio: 0 },
      availability: { text: { share: 1 }, audio: { share: 0, reason: 'privacy' } },
    });
  });

  it.each([
    ['words', ['audio']],
    ['sound', ['text']],
  ] as const)('lets no recognizer hear whoever withholds their %s', async (_, consent) => {
    const { call, peers } = await setUp(MONOLOGUE, [[]], {
      participants: [{ ...ADA, consent }],
      participant: 'ada',
    });
    call.send(12_500);
    const utterances = await call.end();
    expect(utterances.every(({ text }) => text === null)).toBe(true);
    expect(peers[0]?.seen).toEqual([]);
  });
});
