import { z } from 'zod';
import { MODALITIES, type Modality, PRIVACY_MODES, type PrivacyMode } from './domain/modality.ts';
import { UndertoneError } from './errors.ts';
import { PURPOSES, type Purpose } from './protocol/live.ts';

/** What a key or token lets its holder do: send media, read insights, create and end sessions. None implies another. */
export const SCOPES = ['produce', 'consume', 'admin'] as const;
/** One scope of {@link SCOPES}. */
export type Scope = (typeof SCOPES)[number];

/**
 * A key as the server keeps it. `sha256` is the SHA-256 of the key as it is sent, in hex. A key is 32 random bytes, which
 * nobody can guess however fast the hash is; the slow, salted hashes that passwords need would only slow down the server.
 */
export type ApiKey = { readonly id: string; readonly sha256: string; readonly scopes: readonly Scope[] };

/** What may be analyzed, and for which purposes a session may be held. */
export type LivePolicy = {
  /** Absent: every purpose, also none. */
  readonly allowedPurposes?: readonly Purpose[];
  /** By a participant's role, spelled as the producer spells it. */
  readonly roles: Readonly<Record<string, readonly Modality[]>>;
  /** Of participants without a role, or with one that is not in `roles`. */
  readonly default: readonly Modality[];
  /** Whether nothing is analyzed of a participant whose consent was not given. */
  readonly requireConsent: boolean;
  readonly privacy: PrivacyMode;
};

/** Every bound of the live server. Times are in milliseconds, sizes in bytes; rates are of one connection. */
export type ServerLimits = {
  readonly maxMessageBytes: number;
  readonly maxFrameBytes: number;
  readonly maxStreams: number;
  readonly maxParticipants: number;
  readonly maxMessagesPerSecond: number;
  readonly maxBytesPerSecond: number;
  readonly maxSessions: number;
  readonly maxSessionMs: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerIp: number;
  readonly maxAttemptsPerIpPerMinute: number;
  /** How long a request, a handshake, and after it the first message may take. */
  readonly helloTimeoutMs: number;
  readonly heartbeatMs: number;
  /** How long a session waits for its producers to come back. */
  readonly graceMs: number;
  /** Media that a client keeps to be able to send it again. */
  readonly ringMs: number;
  /** Insights kept per session for consumers that come late or come back. */
  readonly backlogInsights: number;
  /** Bytes that may wait to be sent on one connection. */
  readonly maxBufferedBytes: number;
  /** How long a consumer may stay behind before it is closed. */
  readonly slowConsumerMs: number;
  /** How long what comes may wait, for good, in the middle one of the sessions, before no new ones are taken and less is done for each. */
  readonly maxDelayMs: number;
  /** How much sound one speech recognizer is given in a session, all its streams together. */
  readonly maxTranscribedMs: number;
};

/** How the live server runs; complete and frozen. Without `keys` it is open to this machine and to no other. */
export type ServerConfig = {
  readonly keys: readonly ApiKey[];
  /** Origins of the pages that may connect, such as `https://example.org`; other clients send none. */
  readonly origins: readonly string[];
  /** Base64 of at least 32 bytes, for tokens that several servers, or a restarted one, accept. Absent: random per process. */
  readonly tokenSecret?: string;
  readonly tokenMaxSeconds: number;
  /** Paths of files in PEM. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Whether faces and bodies are read from the pictures of video streams. */
  readonly vision: 'on' | 'off';
  /** Whether a server without keys shows its page to browsers of this machine. */
  readonly page: boolean;
  readonly policy: LivePolicy;
  /** Names of the speech recognizers that give text, in the order in which they are preferred. */
  readonly transcribers: readonly string[];
  /** Whether the words of a recognizer stand for those of captions; else speech that has captions is left to them. */
  readonly transcribeCaptioned: boolean;
  readonly limits: ServerLimits;
};

const MIN_SECRET_BYTES = 32;
const HOUR_MS = 3_600_000;
const MIB = 1_048_576;

const whole = (value: number, min: number, max: number): z.ZodDefault<z.ZodInt> =>
  z.int().min(min).max(max).default(value);
const modalities = z.array(z.enum(MODALITIES)).max(MODALITIES.length);
const role = z.string().min(1).max(64);
const path = z.string().min(1).max(4_096);
/** Bytes that base64 stands for. */
const sizeOf = (base64: string): number => Math.floor((base64.replace(/=+$/, '').length * 3) / 4);

const keySchema = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'it must be 1 to 64 of A-Z, a-z, 0-9, _, . and -'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'it must be a SHA-256 in lower-case hex'),
  scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
});

const policySchema = z.strictObject({
  allowedPurposes: z.array(z.enum(PURPOSES)).max(PURPOSES.length).exactOptional(),
  roles: z.record(role, modalities).default({}),
  default: modalities.default([...MODALITIES]),
  requireConsent: z.boolean().default(false),
  privacy: z.enum(PRIVACY_MODES).default('none'),
});

const limitsSchema = z.strictObject({
  maxMessageBytes: whole(65_536, 1_024, MIB),
  maxFrameBytes: whole(262_144, 1_024, 16 * MIB),
  maxStreams: whole(64, 1, 1_024),
  maxParticipants: whole(64, 1, 1_024),
  maxMessagesPerSecond: whole(400, 1, 100_000),
  maxBytesPerSecond: whole(4_000_000, 1_024, 1_000_000_000),
  maxSessions: whole(500, 1, 100_000),
  maxSessionMs: whole(4 * HOUR_MS, 1_000, 24 * HOUR_MS),
  maxConnections: whole(2_000, 1, 1_000_000),
  maxConnectionsPerIp: whole(200, 1, 1_000_000),
  maxAttemptsPerIpPerMinute: whole(600, 1, 1_000_000),
  helloTimeoutMs: whole(10_000, 100, 600_000),
  heartbeatMs: whole(10_000, 100, 600_000),
  graceMs: whole(120_000, 0, HOUR_MS),
  ringMs: whole(30_000, 0, 600_000),
  backlogInsights: whole(1_000, 1, 1_000_000),
  maxBufferedBytes: whole(4 * MIB, 65_536, 1_024 * MIB),
  slowConsumerMs: whole(30_000, 100, 600_000),
  maxDelayMs: whole(250, 10, 60_000),
  maxTranscribedMs: whole(96 * HOUR_MS, 1_000, 1_000 * HOUR_MS),
});

const serverConfigSchema = z
  .strictObject({
    keys: z.array(keySchema).max(1_000).default([]),
    origins: z
      .array(z.string().refine(isOrigin, 'it must be like https://example.org, without a path'))
      .max(1_000)
      .default([]),
    tokenSecret: z
      .base64()
      .refine((secret) => sizeOf(secret) >= MIN_SECRET_BYTES, `it must stand for ${MIN_SECRET_BYTES} bytes or more`)
      .exactOptional(),
    tokenMaxSeconds: whole(900, 1, 900),
    tls: z.strictObject({ cert: path, key: path }).exactOptional(),
    vision: z.enum(['on', 'off']).default('off'),
    page: z.boolean().default(true),
    policy: policySchema.prefault({}),
    transcribers: z
      .array(z.string().regex(/^[a-z0-9-]{1,64}$/))
      .max(16)
      .default([]),
    transcribeCaptioned: z.boolean().default(false),
    limits: limitsSchema.prefault({}),
  })
  .superRefine(({ keys }, context) => {
    for (const field of ['id', 'sha256'] as const)
      keys.forEach((key, i) => {
        if (keys.findIndex((other) => other[field] === key[field]) < i)
          context.addIssue({ code: 'custom', path: ['keys', i, field], message: 'it occurs twice' });
      });
  });

/**
 * Returns a complete, frozen configuration: `value`, such as a file of JSON, with the defaults for what it leaves out.
 * @throws UndertoneError BAD_CONFIG listing every problem with its path, and no value
 */
export function parseServerConfig(value: unknown): ServerConfig {
  const parsed = serverConfigSchema.safeParse(value);
  if (parsed.success) return freeze(parsed.data);
  const problems = parsed.error.issues.map(
    (issue) => `${issue.path.map(String).join('.') || '(top)'}: ${issue.message}`,
  );
  throw new UndertoneError('BAD_CONFIG', `server configuration: ${problems.join('; ')}`);
}

/** The configuration of a server that is told nothing: no keys, so open to this machine only. */
export const DEFAULT_SERVER_CONFIG: ServerConfig = parseServerConfig({});

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) freeze(part);
    Object.freeze(value);
  }
  return value;
}
