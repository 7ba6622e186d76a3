import { Counter, Gauge, Registry } from 'prom-client';

/** What a server counts, for Prometheus. Nothing in it names a person or holds what was said. */
export type Metrics = {
  readonly contentType: string;
  text(): Promise<string>;
  readonly count: (what: CountName, amount?: number) => void;
};

const COUNTS = {
  frames: 'media frames received',
  refused: 'messages and frames refused',
  resumed: 'producers that came back',
  lost: 'connections of producers lost',
  insights: 'insights sent',
  coalesced: 'insights left out for slow consumers',
  slow: 'consumers closed because they were slow',
  rejected: 'connections refused before a hello',
} as const;
/** What is counted. */
export type CountName = keyof typeof COUNTS;

/** What is measured when somebody asks. */
export type Gauges = {
  readonly sessions: () => number;
  readonly connections: () => number;
  readonly waiting: () => number;
  /** How far the server is beyond what it can do, and how late it does what it does, in ms. */
  readonly loadStep: () => number;
  readonly delayMs: () => number;
};

/** Returns the metrics of one server, in a register of their own. */
export function createMetrics(gauges: Gauges): Metrics {
  const registry = new Registry();
  /** Counted here and told when somebody asks: every frame counts. */
  const counts = Object.fromEntries(Object.keys(COUNTS).map((name) => [name, 0])) as Record<CountName, number>;
  for (const [name, help] of Object.entries(COUNTS))
    void new Counter({
      name: `undertone_${name}_total`,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(counts[name as CountName]);
      },
    });
  const gauge = (name: string, help: string, read: () => number): void =>
    void new Gauge({
      name: `undertone_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('sessions', 'sessions that are not over', gauges.sessions);
  gauge('connections', 'connections that are open', gauges.connections);
  gauge('waiting_events', 'events that wait to be analyzed', gauges.waiting);
  gauge(
    'load_step',
    'what is done without: 1 new sessions, 2 faces and bodies, 3 answers between first and final',
    gauges.loadStep,
  );
  gauge(
    'delay_ms',
    'how long what comes waits for the event loop and, in the middle session, the analysis',
    gauges.delayMs,
  );
  gauge('resident_bytes', 'resident memory of the process', () => process.memoryUsage.rss());
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    count: (what, amount = 1) => void (counts[what] += amount),
  };
}
