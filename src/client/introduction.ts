import type { Participant, ProducerMessage, ProducerWelcome, StreamDeclaration } from '../protocol/live.ts';
import type { Roster } from './roster.ts';

/** Who takes part and what is sent, as a hello told it. */
export type Introduction = {
  readonly participants: readonly Participant[];
  readonly streams: readonly StreamDeclaration[];
};

/** What a hello says to a server that knows nothing; streams that are ending are over with it. */
export function introduce(roster: Roster): Introduction {
  for (const { declaration, isEnding } of roster.streams) if (isEnding) roster.remove(declaration.streamId);
  return { participants: roster.participants, streams: roster.streams.map(({ declaration }) => declaration) };
}

/**
 * Returns what a server has to be told after its welcome, before any media, so that it knows `roster` as it is now.
 * @param hello What its hello said. Of a session that goes on it said nothing, and the welcome says what is known.
 */
export function changesSince(hello: Introduction, welcome: ProducerWelcome, roster: Roster): ProducerMessage[] {
  const told = welcome.isResumed ? reached(roster, welcome) : hello;
  const live = roster.streams.map(({ declaration }) => declaration);
  const isTold = ({ streamId }: StreamDeclaration): boolean => told.streams.some((one) => one.streamId === streamId);
  const opened = live.filter((one) => !isTold(one));
  return [
    ...roster.participants
      .filter(({ id }) => !told.participants.some((one) => one.id === id))
      .map((participant) => ({ type: 'join', participant }) as const),
    ...(opened.length > 0 ? [{ type: 'open', streams: opened } as const] : []),
    ...(welcome.isResumed ? [] : streamChanges(hello.streams, roster)),
    ...personChanges(welcome, roster),
    ...roster.streams
      .filter(({ declaration }) => roster.hasChanged('state', declaration.streamId))
      .map(({ declaration, state }) => ({ type: 'state', streamId: declaration.streamId, state }) as const),
  ];
}

/** What of the roster has come to a session that goes on: what came later may have been lost on its way. */
function reached(roster: Roster, { participants, streams }: ProducerWelcome): Introduction {
  return {
    participants: roster.participants.filter(
      ({ id }) => !roster.hasChanged('join', id) || participants.some(({ participant }) => participant === id),
    ),
    streams: roster.streams
      .map(({ declaration }) => declaration)
      .filter(
        ({ streamId }) => !roster.hasChanged('open', streamId) || streams.some((one) => one.streamId === streamId),
      ),
  };
}

/** What changed between a hello and its welcome; later changes travel among the media. */
function streamChanges(before: readonly StreamDeclaration[], roster: Roster): readonly ProducerMessage[] {
  const messages: ProducerMessage[] = [];
  for (const { streamId, ...old } of before) {
    const now = roster.streams.find(({ declaration }) => declaration.streamId === streamId);
    if (!now || now.isEnding) {
      roster.remove(streamId);
      messages.push({ type: 'close', streamId });
    } else if (now.declaration.kind === 'audio' && old.kind === 'audio' && now.declaration.format !== old.format)
      messages.push({ type: 'format', streamId, format: now.declaration.format });
  }
  return messages;
}

function personChanges({ participants }: ProducerWelcome, roster: Roster): readonly ProducerMessage[] {
  const names = new Map(participants.map(({ participant, speaker }) => [participant, speaker.name]));
  const messages: ProducerMessage[] = [];
  for (const { id, name, consent = [] } of roster.participants) {
    if (roster.hasChanged('consent', id)) messages.push({ type: 'consent', participant: id, modalities: consent });
    if (roster.hasChanged('name', id) && names.get(id) !== name) messages.push({ type: 'name', participant: id, name });
  }
  return messages;
}
