import { describe, expect, it } from 'vitest';
import { DEFAULT_SERVER_CONFIG, parseServerConfig } from '../src/config.ts';

const HASH = 'a'.repeat(64);
const KEY = { id: 'desk', sha256: HASH, scopes: ['produce'] };
const messageOf = (value: unknown): string => {
  try {
    parseServerConfig(value);
  } catch (error) {
    expect(error).toMatchObject({ name: 'UndertoneError', code: 'BAD_CONFIG' });
    return (error as Error).message;
  }
  return 'accepted';
};
const isFrozen = (value: unknown): boolean =>
  typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(isFrozen));

describe('the configuration of the live server', () => {
  it('has no keys, every modality and the documented limits when nothing is said', () => {
    expect(DEFAULT_SERVER_CONFIG).toEqual({
      keys: [],
      origins: [],
      tokenMaxSeconds: 900,
      vision: 'off',
      page: true,
      policy: { roles: {}, default: ['text', 'audio', 'face', 'body'], requireConsent: false, privacy: 'none' },
      transcribers: [],
      transcribeCaptioned: false,
      limits: {
        maxMessageBytes: 65_536,
        maxFrameBytes: 262_144,
        maxStreams: 64,
        maxParticipants: 64,
        maxMessagesPerSecond: 400,
        maxBytesPerSecond: 4_000_000,
        maxSessions: 500,
        maxSessionMs: 14_400_000,
        maxConnections: 2_000,
        maxConnectionsPerIp: 200,
        maxAttemptsPerIpPerMinute: 600,
        helloTimeoutMs: 10_000,
        heartbeatMs: 10_000,
        graceMs: 120_000,
        ringMs: 30_000,
        backlogInsights: 1_000,
        maxBufferedBytes: 4_194_304,
        slowConsumerMs: 30_000,
        maxDelayMs: 250,
        maxTranscribedMs: 345_600_000,
      },
    });
  });

  it('keeps what is said and fills in the rest', () => {
    const config = parseServerConfig({
      keys: [KEY],
      origins: ['https://example.org', 'http://localhost:8080'],
      tokenSecret: Buffer.alloc(32, 7).toString('base64'),
      tls: { cert: 'cert.pem', key: 'key.pem' },
      policy: { allowedPurposes: ['telehealth'], roles: { patient: ['text'] }, privacy: 'no-face' },
      limits: { maxStreams: 3 },
    });
    expect(config.keys).toEqual([KEY]);
    expect(config.policy).toEqual({
      allowedPurposes: ['telehealth'],
      roles: { patient: ['text'] },
      default: ['text', 'audio', 'face', 'body'],
      requireConsent: false,
      privacy: 'no-face',
    });
    expect(config.limits).toEqual({ ...DEFAULT_SERVER_CONFIG.limits, maxStreams: 3 });
  });

  it('is frozen to the last list and is the same when it is read again', () => {
    const config = parseServerConfig({ keys: [KEY], policy: { roles: { agent: ['text'] } } });
    expect(isFrozen(config)).toBe(true);
    expect(parseServerConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  it.each<[string, unknown, string]>([
    ['no object', [], '(top): '],
    ['an unknown field', { key: [] }, '(top): Unrecognized key'],
    ['an unknown limit', { limits: { maxFun: 1 } }, 'limits: Unrecognized key'],
    ['a limit of 0', { limits: { maxStreams: 0 } }, 'limits.maxStreams: '],
    ['a limit that is no whole number', { limits: { heartbeatMs: 1_000.5 } }, 'limits.heartbeatMs: '],
    ['a hash in upper case', { keys: [{ ...KEY, sha256: HASH.toUpperCase() }] }, 'keys.0.sha256: it must be a SHA-256'],
    ['a key without scopes', { keys: [{ ...KEY, scopes: [] }] }, 'keys.0.scopes: '],
    ['an unknown scope', { keys: [{ ...KEY, scopes: ['root'] }] }, 'keys.0.scopes.0: '],
    ['two keys of one name', { keys: [KEY, { ...KEY, sha256: 'b'.repeat(64) }] }, 'keys.1.id: it occurs twice'],
    ['one key under two names', { keys: [KEY, { ...KEY, id: 'b' }] }, 'keys.1.sha256: it occurs twice'],
    ['an origin with a path', { origins: ['https://example.org/'] }, 'origins.0: it must be like'],
    ['any origin', { origins: ['*'] }, 'origins.0: '],
    ['an origin of a file', { origins: ['null'] }, 'origins.0: '],
    ['tokens that last too long', { tokenMaxSeconds: 901 }, 'tokenMaxSeconds: '],
    ['a short secret', { tokenSecret: Buffer.alloc(31).toString('base64') }, 'tokenSecret: it must stand for 32 bytes'],
    ['a certificate without a key', { tls: { cert: 'cert.pem' } }, 'tls.key: '],
    ['an unknown purpose', { policy: { allowedPurposes: ['fun'] } }, 'policy.allowedPurposes.0: '],
    ['an unknown modality', { policy: { roles: { agent: ['smell'] } } }, 'policy.roles.agent.0: '],
  ])('refuses %s and says where', (_, value, path) => {
    expect(messageOf(value)).toContain(`server configuration: ${path}`);
  });

  it('reports every problem at once', () => {
    const message = messageOf({ origins: ['x'], tokenMaxSeconds: 0, limits: { ringMs: -1 } });
    for (const path of ['origins.0: ', 'tokenMaxSeconds: ', 'limits.ringMs: ']) expect(message).toContain(path);
  });

  it('does not repeat a secret that it refuses', () => {
    expect(messageOf({ tokenSecret: 'c2VjcmV0' })).not.toContain('c2VjcmV0');
    expect(messageOf({ tokenSecret: 'not base64: hunter2' })).not.toContain('hunter2');
    expect(messageOf({ keys: [{ ...KEY, sha256: 'hunter2' }] })).not.toContain('hunter2');
  });
});
