import { afterEach, beforeEach } from 'vitest';
import WebSocket from 'ws';
import type { Producer, ProducerEvents } from '../../src/client/producer.ts';
import type { EndpointOptions } from '../../src/client/options.ts';
import type { Followed } from '../../src/client/untilStatus.ts';
import type { Status } from '../../src/client/status.ts';
import { startFakeLiveServer, type FakeLiveServer } from '../support/fakeLiveServer.ts';
import { createManualClock, type ManualClock } from '../support/manualClock.ts';

/** What each test has: a server of its own, a clock that stands still, and options that use both. */
export type Harness = {
  readonly server: FakeLiveServer;
  readonly clock: ManualClock;
  readonly endpoint: EndpointOptions & { readonly url: string };
  /** Has it closed at the end of the test. */
  closing<T extends { readonly [K in 'producer' | 'consumer']?: { close(): void } }>(connection: T): T;
};

/** Returns what a test uses; made anew before each. */
export function useHarness(): Harness {
  let server: FakeLiveServer;
  let clock: ManualClock;
  let open: { close(): void }[] = [];
  beforeEach(async () => {
    server = await startFakeLiveServer();
    clock = createManualClock();
    open = [];
  });
  afterEach(async () => {
    for (const one of open) one.close();
    await server.close();
  });
  return {
    get server() {
      return server;
    },
    get clock() {
      return clock;
    },
    get endpoint() {
      const { now, schedule } = clock;
      return { url: server.url, WebSocket, now, schedule, random: () => 0.5 };
    },
    closing(connection) {
      for (const one of [connection.producer, connection.consumer]) if (one) open.push(one);
      return connection;
    },
  };
}

/** Resolves with the next status of the state, or the present one when it is of it. */
export function statusOf<S extends Status['state']>(
  followed: Followed,
  state: S,
): Promise<Extract<Status, { state: S }>> {
  return new Promise((resolve) => {
    const isIt = (status: Status): status is Extract<Status, { state: S }> => status.state === state;
    if (isIt(followed.status)) return resolve(followed.status);
    const stop = followed.on('status', (status) => {
      if (!isIt(status)) return;
      stop();
      resolve(status);
    });
  });
}

/** Resolves with the next event of the type. */
export function eventOf<K extends keyof ProducerEvents>(producer: Producer, type: K): Promise<ProducerEvents[K]> {
  return new Promise((resolve) => {
    const stop = producer.on(type, (event) => {
      stop();
      resolve(event);
    });
  });
}
