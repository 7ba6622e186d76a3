import { Consumer } from './consumer.ts';
import { toEndpoint, type ConsumeOptions, type EndpointOptions, type ProduceOptions } from './options.ts';
import { LiveProducer } from './liveProducer.ts';
import type { Producer } from './producer.ts';

export { DROP_REASONS } from './drops.ts';
export { isUndertoneError, UndertoneError } from '../errors.ts';
export type { ErrorCode } from '../errors.ts';
export type { Consumer, ConsumerCounts, ConsumerEvents } from './consumer.ts';
export type { Drop, DropReason } from './drops.ts';
export type {
  ConsumeOptions,
  EndpointOptions,
  ProduceOptions,
  Role,
  Schedule,
  StreamOption,
  TokenSource,
} from './options.ts';
export type { ProducerCounts } from './outbox.ts';
export type { Producer, ProducerEvents } from './producer.ts';
export type { Samples } from './samples.ts';
export type { ClientSocket, SocketConstructor, SocketEvent } from './socket.ts';
export type { Status } from './status.ts';
export type { TranscriptOption } from './transcript.ts';

/** Options of a connection that only receives insights. */
export type FeedOptions = EndpointOptions & ConsumeOptions & { readonly streams?: never };
/** Options of a connection that only sends. */
export type StreamOptions = EndpointOptions & ProduceOptions & { readonly consume?: false };
/** Options of a connection that sends, and receives the insights of its own session. */
export type CallOptions = EndpointOptions & ProduceOptions & { readonly consume: true | ConsumeOptions };

/**
 * Connects to a live server: with `streams` as a producer, with `consume` also as a consumer of the same session, without
 * `streams` as a consumer only. Returns at once; both come back by themselves after a drop, until they are closed.
 * @throws TypeError or RangeError when an option breaks its rule.
 */
export function connect(options: CallOptions): { readonly producer: Producer; readonly consumer: Consumer };
export function connect(options: StreamOptions): { readonly producer: Producer };
export function connect(options: FeedOptions): { readonly consumer: Consumer };
export function connect(options: CallOptions | StreamOptions | FeedOptions): {
  readonly producer?: Producer;
  readonly consumer?: Consumer;
} {
  if (!options.streams) {
    const consumer = new Consumer(toEndpoint(options, 'consume'), options, options);
    consumer.start(options.session);
    return { consumer };
  }
  const { consume } = options;
  if (!consume) return { producer: new LiveProducer(toEndpoint(options, 'produce'), options) };
  const wanted = consume === true ? {} : consume;
  // When the server forgets the session, the producer begins it anew, maybe after the consumer has asked for it.
  const mayAppear = (): boolean => producer.status.state !== 'closed';
  const consumer = new Consumer(toEndpoint(options, 'consume'), wanted, { mayAppear });
  const producer = new LiveProducer(toEndpoint(options, 'produce'), options);
  follow(producer, consumer);
  return { producer, consumer };
}

/**
 * The consumer waits for the session of the producer, and is closed when that never comes to be. Later it comes back as soon as
 * the producer has: then there is a network again.
 */
function follow(producer: Producer, consumer: Consumer): void {
  let hasBegun = false;
  producer.on('status', ({ state, ...status }) => {
    if (state === 'live' || state === 'resumed') {
      if (hasBegun) consumer.hurry();
      else consumer.start(producer.session);
      hasBegun = true;
    } else if (state === 'closed' && !hasBegun) consumer.close('error' in status ? status.error : undefined);
  });
}
