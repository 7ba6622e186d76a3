import { UndertoneError } from '../errors.ts';
import type { ProducerMessage } from '../protocol/live.ts';
import type { IngestStream } from './ingest/ingestStream.ts';
import type { Refusal } from './ingest/ingest.ts';
import type { Peer } from './peer.ts';
import type { Entered, EntryContext } from './producerEntry.ts';

/** What a producer may say once it is in. */
export type ProducerAct = Exclude<ProducerMessage, { readonly type: 'hello' | 'ping' | 'bye' }>;

/** Who acts: a producer that is in, and what it is told. */
export type Actor = Entered & Pick<EntryContext, 'now' | 'speakFor'> & { readonly peer: Peer };

/** Does what a message of a producer says. @throws UndertoneError when it may not be, or cannot */
export async function act(message: ProducerAct, actor: Actor): Promise<void> {
  const { session, producer, peer, speakFor } = actor;
  switch (message.type) {
    case 'join':
      speakFor(message.participant.id);
      session.join(message.participant);
      return tellPolicy(actor);
    case 'open':
      for (const declaration of message.streams) {
        speakFor(declaration.participant);
        await session.open(producer, declaration);
      }
      return;
    case 'close':
      return session.ingest.close(own(message, actor).entry.declaration.streamId, 'track_ended');
    case 'state':
      own(message, actor);
      return session.ingest.setState(message.streamId, message.state);
    case 'format':
      own(message, actor);
      return session.changeFormat(message.streamId, message.format);
    case 'transcript':
      if (message.participant !== undefined) speakFor(message.participant);
      own(message, actor);
      return tellRefusals(peer, session.hear(message));
    case 'sightless':
      own(message, actor);
      return tellRefusals(peer, session.ingest.sightless(message, actor.now()));
    case 'consent':
      speakFor(message.participant);
      session.consent(message.participant, message.modalities);
      return tellPolicy(actor);
    case 'name':
      speakFor(message.participant);
      session.rename(message.participant, message.name);
      return tellPolicy(actor);
    case 'speaker':
      speakFor(undefined);
      session.identify(message.speaker, message.participant);
      return tellPolicy(actor);
  }
}

/** Tells a peer which of its pieces were refused. */
export function tellRefusals(peer: Peer, refusals: readonly Refusal[]): void {
  for (const { code, rule, streamId } of refusals) peer.refuse(code, rule, streamId);
}

function tellPolicy({ peer, session }: Actor): void {
  peer.send({ type: 'policy', participants: session.participants.all() });
}

function own({ streamId }: { readonly streamId: string }, { session, producer }: Actor): IngestStream {
  const stream = session.ingest.find(streamId);
  if (stream?.entry.producer !== producer.id)
    throw new UndertoneError('UNKNOWN_STREAM', 'no stream of this producer has this id');
  return stream;
}
