import type { OpusPacketDecoder } from '../adapter.ts';
import type { MissingReason } from '../domain/modality.ts';
import { UndertoneError } from '../errors.ts';
import type { AudioFormat, StreamDeclaration } from '../protocol/live.ts';
import { type AudioDecoder, createAudioDecoder } from './ingest/decodeAudio.ts';
import type { Ingest } from './ingest/ingest.ts';
import type { Participants } from './participants.ts';
import type { Producer } from './producers.ts';

/** Opens the streams of a session. */
export type StreamOpener = {
  /** @throws UndertoneError LIMIT_EXCEEDED, UNKNOWN_STREAM, BAD_MESSAGE */
  open(producer: Producer, declaration: StreamDeclaration): Promise<void>;
  /** Goes on with a stream of sound in another format. @throws UndertoneError UNKNOWN_STREAM, LIMIT_EXCEEDED */
  changeFormat(streamId: string, format: AudioFormat): Promise<void>;
};

/** What an opener receives. */
export type StreamOpenerDeps = {
  readonly ingest: Ingest;
  readonly participants: Participants;
  readonly refusalOf: (declaration: StreamDeclaration) => MissingReason | undefined;
  readonly createOpus: (channels: 1 | 2) => Promise<OpusPacketDecoder>;
  /** Wall time in ms. */
  readonly now: () => number;
};

/** Streams that a session may open one after another, and formats it may change, for each that may be open at once. */
const REOPENED = 8;

/** Returns the opener of a session that has at most `maxStreams` open at once. A number is used once. */
export function createStreamOpener(maxStreams: number, deps: StreamOpenerDeps): StreamOpener {
  const { ingest, participants, refusalOf, now } = deps;
  const numbers = new Set<number>();
  let formats = 0;
  const check = ({ streamId, number, participant }: StreamDeclaration): void => {
    if (ingest.find(streamId)) throw new UndertoneError('BAD_MESSAGE', 'a stream has this id already');
    if (numbers.has(number)) throw new UndertoneError('BAD_MESSAGE', 'a stream had this number already');
    if (numbers.size >= maxStreams * REOPENED || ingest.streams().length >= maxStreams)
      throw new UndertoneError('LIMIT_EXCEEDED', `at most ${maxStreams} streams`);
    if (participant !== undefined && !participants.get(participant))
      throw new UndertoneError('UNKNOWN_STREAM', 'a stream names a participant that has not joined');
  };
  const decoderOf = async ({ encoding, channels, ...format }: AudioFormat): Promise<AudioDecoder> =>
    createAudioDecoder(
      { encoding, channels, ...format },
      encoding === 'opus' ? await deps.createOpus(channels) : undefined,
    );
  return {
    open: async (producer, declaration) => {
      check(declaration);
      numbers.add(declaration.number);
      const decoder = declaration.kind === 'audio' && { decoder: await decoderOf(declaration.format) };
      const policy = declaration.participant === undefined ? undefined : participants.get(declaration.participant);
      const refused = refusalOf(declaration);
      const more = { ...(policy && { speaker: policy.speaker }), ...(refused && { refused }), ...decoder };
      ingest.open({ producer: producer.id, declaration, offsetMs: producer.offsetMs, ...more }, now());
    },
    changeFormat: async (streamId, format) => {
      if (ingest.find(streamId)?.entry.declaration.kind !== 'audio')
        throw new UndertoneError('UNKNOWN_STREAM', 'no audio stream has this id');
      if (++formats > maxStreams * REOPENED) throw new UndertoneError('LIMIT_EXCEEDED', 'the format changes too often');
      ingest.changeFormat(streamId, await decoderOf(format));
    },
  };
}
