import type { ConsentChanged, Observation, StreamOpened } from '../../domain/observation.ts';
import type { Speaker } from '../../domain/speaker.ts';
import { setBounded } from '../../operators/bounded.ts';
import { isSameSpeaker } from '../../operators/streams.ts';

/** Whether speech is recognized for which somebody else sends the words: not, or instead of those words. */
export type CaptionedSpeech = 'left' | 'recognized';

/** Which audio streams of a session are listened to. */
export type Audience = {
  observe(observation: Observation): void;
  /** What is known of an audio stream; one that was never opened is of everybody. */
  streamOf(streamId: string): StreamOpened;
  streams(): Iterable<StreamOpened>;
  isHeard(streamId: string): boolean;
  /** Whether somebody does not allow that the words on this stream are read. */
  isWithheld(streamId: string): boolean;
  /** Whether these words of captions are left out, because what is recognized of the speech stands for them. */
  isReplaced(observation: Observation): boolean;
};

const MAX_STREAMS = 512;

/**
 * Returns what is listened to: the stream of whoever allows text, and one of everybody while all allow it. Streams of
 * those for whom captions are open are `left` to the captions (a stream of everybody as soon as there are any captions), or
 * `recognized`, and the words of the captions left out.
 */
export function createAudience(captioned: CaptionedSpeech = 'left'): Audience {
  const audio = new Map<string, StreamOpened>();
  const captions = new Map<string, StreamOpened>();
  const silenced = new Map<string, Speaker>();

  const open = (stream: StreamOpened): void => {
    if (stream.kind === 'audio') setBounded(audio, stream.streamId, stream, MAX_STREAMS);
    if (stream.kind === 'captions') setBounded(captions, stream.streamId, stream, MAX_STREAMS);
  };
  const close = (streamId: string): void => {
    audio.delete(streamId);
    captions.delete(streamId);
  };
  /** Sound that a participant withholds is not heard for its words either; sound that the policy rules out is. */
  const consent = ({ speaker, modalities, reason }: ConsentChanged): void => {
    if (modalities.includes('text') && (modalities.includes('audio') || reason === 'privacy'))
      silenced.delete(speaker.id);
    else setBounded(silenced, speaker.id, speaker, MAX_STREAMS);
  };
  const isCaptioned = (owner: Speaker | undefined): boolean =>
    [...captions.values()].some(({ speaker }) => !owner || !speaker || isSameSpeaker(speaker, owner));
  const isWithheld = (streamId: string): boolean => {
    const owner = audio.get(streamId)?.speaker;
    return owner ? silenced.has(owner.id) : silenced.size > 0;
  };
  const isHeard = (streamId: string): boolean =>
    !isWithheld(streamId) && (captioned === 'recognized' || !isCaptioned(audio.get(streamId)?.speaker));

  return {
    observe: (observation) => {
      if (observation.type === 'streamOpened') open(observation);
      else if (observation.type === 'streamClosed') close(observation.streamId);
      else if (observation.type === 'consent') consent(observation);
    },
    streamOf: (streamId) => audio.get(streamId) ?? { type: 'streamOpened', arrivalMs: 0, streamId, kind: 'audio' },
    streams: () => audio.values(),
    isHeard,
    isWithheld,
    isReplaced: (observation) => {
      if (captioned === 'left' || (observation.type !== 'transcript' && observation.type !== 'interim')) return false;
      const speaker = observation.speaker ?? captions.get(observation.streamId)?.speaker;
      return [...audio.values()].some(
        (stream) => isHeard(stream.streamId) && (!speaker || !stream.speaker || isSameSpeaker(stream.speaker, speaker)),
      );
    },
  };
}
