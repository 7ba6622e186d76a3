import { createIngestStream, type IngestStream, type StreamEntry } from './ingestStream.ts';

/** The open streams of a session, by id and by the number that stands in media frames. */
export type IngestStreams = {
  add(entry: StreamEntry, nowMs: number): void;
  remove(stream: IngestStream): void;
  byId(streamId: string): IngestStream | undefined;
  byNumber(number: number): IngestStream | undefined;
  of(producer: string): readonly IngestStream[];
  all(): readonly IngestStream[];
  /** Those that carry sound. */
  sounds(): readonly IngestStream[];
};

/** Returns no streams. Neither ids nor numbers may occur twice. */
export function createIngestStreams(): IngestStreams {
  const ids = new Map<string, IngestStream>();
  const numbers = new Map<number, IngestStream>();
  let opened = 0;
  /** What is asked for with every piece of media; made anew when a stream comes or goes, so it may be gone through meanwhile. */
  let all: readonly IngestStream[] = [];
  let sounds: readonly IngestStream[] = [];
  const owned = new Map<string, readonly IngestStream[]>();
  const list = (): void => {
    all = [...ids.values()];
    sounds = all.filter(({ entry }) => entry.declaration.kind === 'audio');
    owned.clear();
    for (const stream of all) {
      const { producer } = stream.entry;
      owned.set(producer, [...(owned.get(producer) ?? []), stream]);
    }
  };
  return {
    add: (entry, nowMs) => {
      const stream = createIngestStream(entry, { rank: opened++, nowMs });
      ids.set(entry.declaration.streamId, stream);
      numbers.set(entry.declaration.number, stream);
      list();
    },
    remove: ({ entry, close }) => {
      close();
      ids.delete(entry.declaration.streamId);
      numbers.delete(entry.declaration.number);
      list();
    },
    byId: (streamId) => ids.get(streamId),
    byNumber: (number) => numbers.get(number),
    of: (producer) => owned.get(producer) ?? [],
    all: () => all,
    sounds: () => sounds,
  };
}
