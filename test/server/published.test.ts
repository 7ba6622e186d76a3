import { Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Insight } from '../../src/domain/insight.ts';
import type { LiveServer } from '../../src/server/liveServer.ts';
import { connectPeer } from '../support/livePeer.ts';
import { startTestServer, streamsOf } from '../support/liveServer.ts';

const fault = (seq: number): Insight => ({ type: 'fault', seq, atMs: seq, code: 'DECODE_ERROR', message: 'a test' });

let server: LiveServer;
let insights$: Subject<Insight>;
let nowMs: number;
beforeEach(async () => {
  nowMs = 0;
  server = await startTestServer({ limits: { graceMs: 1_000, maxSessionMs: 60_000 } }, { now: () => nowMs });
  insights$ = new Subject();
  server.sessions.publish('film', insights$);
});
afterEach(() => server.close());

async function watch() {
  const reader = await connectPeer(server.url, { path: '/v1/feed' });
  reader.say({ type: 'hello', v: 1, session: 'film' });
  await reader.next('welcome');
  return reader;
}

describe('a session whose insights come from elsewhere', () => {
  it('is read like any other, from its beginning, and is over with them', async () => {
    insights$.next(fault(1));
    const reader = await watch();
    insights$.next(fault(2));
    insights$.complete();
    expect(await reader.next('ended')).toMatchObject({ reason: 'bye' });
    expect(reader.insights.map(({ seq }) => seq)).toEqual([1, 2]);
    await reader.closed;
  });

  it('lets no producer in', async () => {
    const producer = await connectPeer(server.url);
    const participants = [{ id: 'ada', name: 'Ada' }];
    producer.say({ type: 'hello', v: 1, session: 'film', participants, streams: streamsOf('ada') });
    expect(await producer.next('error')).toMatchObject({ code: 'FORBIDDEN', isFatal: true });
    await producer.closed;
  });

  it('is not given up because nobody sends to it, but ends when it lasts too long', () => {
    server.sessions.tick((nowMs = 59_000));
    expect(server.sessions.get('film').ended).toBeUndefined();
    server.sessions.tick((nowMs = 60_000));
    expect([server.sessions.get('film').ended, insights$.observed]).toEqual(['length', false]);
  });

  it('ends at once when it is deleted', async () => {
    const reader = await watch();
    await server.sessions.delete('film');
    expect(await reader.next('ended')).toMatchObject({ reason: 'deleted' });
    expect(insights$.observed).toBe(false);
    await reader.closed;
  });
});
