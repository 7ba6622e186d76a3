import type { Recognizer } from '../../../src/adapter.ts';
import { createDeepgramRecognizer } from '../../../adapters/asr/deepgram/createDeepgramRecognizer.ts';
import type { Insight, UtteranceInsight } from '../../../src/domain/insight.ts';
import type { ProducerHello, StreamDeclaration } from '../../../src/protocol/live.ts';
import type { LiveServer } from '../../../src/server/liveServer.ts';
import { toSound, type PeerWord } from '../../support/deepgramEar.ts';
import { startDeepgramPeer, type ConnectionPlan, type DeepgramPeer } from '../../support/deepgramPeer.ts';
import { connectPeer, producerWelcome, type LivePeer } from '../../support/livePeer.ts';
import { fakeAnalysis, FRAME_MS, PCM, startTestServer } from '../../support/liveServer.ts';

/** Words of 200 ms, one each 250 ms, from `startMs` on. */
export function say(startMs: number, speaker: number, text: string): PeerWord[] {
  return text.split(' ').map((word, index) => ({
    text: word,
    speaker,
    startMs: startMs + index * 250,
    endMs: startMs + index * 250 + 200,
  }));
}

/** Recognizers of Deepgram's SDK and what they talk to, by plan; all tell speakers apart. */
export async function startRecognizers(
  script: readonly PeerWord[],
  ...plans: readonly (readonly ConnectionPlan[])[]
): Promise<{ recognizers: Recognizer[]; peers: DeepgramPeer[]; close: () => Promise<void> }> {
  const peers = await Promise.all(plans.map((plan) => startDeepgramPeer(script, plan)));
  const recognizers = await Promise.all(
    peers.map(({ url }) => createDeepgramRecognizer({ apiKey: 'key', url, diarize: true, random: () => 0 })),
  );
  const close = async (): Promise<void> => {
    await Promise.all(recognizers.map((recognizer) => recognizer.close()));
    await Promise.all(peers.map((peer) => peer.close()));
  };
  return { recognizers, peers, close };
}

/** A call through the sockets of a server, with the sound of a script. */
export type RecognizedCall = {
  readonly server: LiveServer;
  readonly producer: LivePeer;
  readonly consumer: LivePeer;
  /** Sends the sound of the script up to `untilMs`, at once. */
  send(untilMs: number): void;
  /** Resolves with the first insight, past or to come, that fits. */
  seen(fits: (insight: Insight) => boolean): Promise<Insight>;
  /** Ends the call; resolves with the last insight of each utterance, in order of time. */
  end(): Promise<UtteranceInsight[]>;
  readonly close: () => Promise<void>;
};

/** Begins a call of which one microphone is heard. */
export async function startCall(
  script: readonly PeerWord[],
  recognizers: readonly Recognizer[],
  more: Partial<Pick<ProducerHello, 'participants' | 'purpose'>> & { readonly participant?: string } = {},
): Promise<RecognizedCall> {
  const { participants = [], purpose, participant } = more;
  const durationMs = Math.max(...script.map(({ endMs }) => endMs)) + 5_000;
  const sound = Int16Array.from(toSound(script, durationMs), (sample) => Math.round(sample * 32_767));
  const analyze = fakeAnalysis({ transcription: { recognizers }, level: 0.001 });
  const server = await startTestServer({}, { analyze, transcribes: true });
  const producer = await connectPeer(server.url);
  const mic: StreamDeclaration = {
    streamId: 'mic',
    number: 0,
    kind: 'audio',
    format: PCM,
    ...(participant !== undefined && { participant }),
  };
  producer.say({ type: 'hello', v: 1, session: 'call', participants, streams: [mic], ...(purpose && { purpose }) });
  await producerWelcome(producer);
  const consumer = await connectPeer(server.url, { path: '/v1/feed' });
  consumer.say({ type: 'hello', v: 1, session: 'call' });
  let sequence = 0;
  const samples = 16 * FRAME_MS;
  const seen = (fits: (insight: Insight) => boolean): Promise<Insight> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = consumer.insights.find(fits);
        if (found === undefined) return;
        consumer.socket.off('message', look);
        resolve(found);
      };
      consumer.socket.on('message', look);
      look();
    });
  return {
    server,
    producer,
    consumer,
    seen,
    send: (untilMs) => {
      for (; (sequence + 1) * FRAME_MS <= untilMs; sequence++) {
        const payload = new Uint8Array(sound.slice(sequence * samples, (sequence + 1) * samples).buffer);
        producer.frame({ number: 0, sequence, mediaMs: sequence * FRAME_MS, payload });
      }
    },
    end: async () => {
      producer.say({ type: 'bye' });
      await consumer.next('ended');
      const last = new Map<string, UtteranceInsight>();
      for (const insight of consumer.insights) if (insight.type === 'utterance') last.set(insight.utteranceId, insight);
      return [...last.values()].toSorted((a, b) => a.startMs - b.startMs);
    },
    close: () => server.close(),
  };
}

/** Whether an insight is of an utterance with just this text. */
export function hasText(text: string): (insight: Insight) => boolean {
  return (insight) => insight.type === 'utterance' && insight.text === text;
}
