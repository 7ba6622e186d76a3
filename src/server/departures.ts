import type { Producer } from './producers.ts';
import type { LiveSession } from './session.ts';

/** A producer is done. When it was the last, the session is over. */
export function leaveSession(session: LiveSession, producer: Producer): void {
  for (const { streamId } of session.ingest.positions(producer.id)) session.ingest.close(streamId, 'track_ended');
  remove(session, producer, 'bye');
}

/** What a producer that did not come back had open is over; what it did not send is declared. */
export function abandonSession(session: LiveSession, producer: Producer): void {
  const { ingest } = session;
  for (const { streamId, mediaMs } of ingest.positions(producer.id)) {
    const startMs = producer.offsetMs + mediaMs;
    const endMs = Math.max(startMs, ingest.clockMs);
    ingest.tell({ type: 'gap', streamId, startMs, endMs, reason: 'disconnected' });
    ingest.close(streamId, 'disconnected');
  }
  remove(session, producer, 'abandoned');
}

function remove(session: LiveSession, producer: Producer, reason: 'bye' | 'abandoned'): void {
  session.producers.remove(producer);
  session.advance();
  if (session.producers.all().length === 0) void session.end(reason);
}
