import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUndertoneError } from '../../src/errors.ts';
import { type Admission, createAdmission, MAX_REMEMBERED } from '../../src/server/admission.ts';

const LIMITS = { maxConnections: 5, maxConnectionsPerIp: 2, maxAttemptsPerIpPerMinute: 60 };
const REFUSED = expect.objectContaining({ code: 'RATE_LIMITED' }) as Error;
const clockAt = (): { nowMs: number; now: () => number } => {
  const clock = { nowMs: 0, now: () => clock.nowMs };
  return clock;
};
const isAdmitted = (admission: Admission, address: string): boolean => {
  try {
    admission.admit(address);
    return true;
  } catch (error) {
    if (!isUndertoneError(error) || error.code !== 'RATE_LIMITED') throw error;
    return false;
  }
};

describe('admission', () => {
  it('lets in so many of one address, and others still', () => {
    const admission = createAdmission(LIMITS, clockAt());
    expect(['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2'].map((a) => isAdmitted(admission, a))).toEqual([
      true,
      true,
      false,
      true,
    ]);
    expect(admission.connections()).toBe(3);
  });

  it('sees one address in the addresses of one IPv6 network, and in both spellings of IPv4', () => {
    const admission = createAdmission(LIMITS, clockAt());
    expect(['2001:db8::1', '2001:db8::2', '2001:db8::3'].map((a) => isAdmitted(admission, a))).toEqual([
      true,
      true,
      false,
    ]);
    expect(['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.1'].map((a) => isAdmitted(admission, a))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('lets in so many of all addresses together', () => {
    const admission = createAdmission(LIMITS, clockAt());
    const all = Array.from({ length: 8 }, (_, i) => isAdmitted(admission, `192.0.2.${i}`));
    expect(all).toEqual([true, true, true, true, true, false, false, false]);
  });

  it('has room again when a connection is gone, once however often that is said', () => {
    const admission = createAdmission(LIMITS, clockAt());
    const leave = admission.admit('192.0.2.1');
    admission.admit('192.0.2.1');
    leave();
    leave();
    expect(admission.connections()).toBe(1);
    expect([isAdmitted(admission, '192.0.2.1'), isAdmitted(admission, '192.0.2.1')]).toEqual([true, false]);
  });

  it('counts attempts, also those that were refused, and forgives them in a minute', () => {
    const clock = clockAt();
    const admission = createAdmission({ ...LIMITS, maxConnectionsPerIp: 1 }, clock);
    for (let i = 0; i < 60; i++) isAdmitted(admission, '192.0.2.1');
    expect(() => admission.attempt('192.0.2.1')).toThrow(REFUSED);
    expect(() => admission.attempt('192.0.2.2')).not.toThrow();
    clock.nowMs = 60_000;
    for (let i = 0; i < 60; i++) admission.attempt('192.0.2.1');
    expect(() => admission.attempt('192.0.2.1')).toThrow(REFUSED);
  });

  it('says nothing of the address when it refuses', () => {
    const admission = createAdmission({ ...LIMITS, maxConnectionsPerIp: 1 }, clockAt());
    admission.admit('192.0.2.1');
    expect(() => admission.admit('192.0.2.1')).toThrow(/^too many connections from this address$/);
  });

  it('remembers a bounded number of addresses, however many come', () => {
    const admission = createAdmission(LIMITS, clockAt());
    for (let i = 0; i < 3 * MAX_REMEMBERED; i++) isAdmitted(admission, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    expect(admission.remembered()).toBeLessThanOrEqual(MAX_REMEMBERED + LIMITS.maxConnections);
    expect(admission.connections()).toBe(5);
  });

  it('remembers who keeps on trying while others come and go', () => {
    const admission = createAdmission({ ...LIMITS, maxAttemptsPerIpPerMinute: 3 }, clockAt());
    for (let i = 0; i < 3; i++) admission.attempt('192.0.2.1');
    for (let i = 0; i < 2 * MAX_REMEMBERED; i++) {
      admission.attempt(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
      if (i % 1_000 === 0) expect(() => admission.attempt('192.0.2.1')).toThrow(REFUSED);
    }
  });

  it('counts right in any order of coming and going', () => {
    const event = fc.record({ address: fc.nat(3), isComing: fc.boolean() });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const admission = createAdmission(LIMITS, clockAt());
        const open: { address: number; leave: () => void }[] = [];
        for (const { address, isComing } of events) {
          const mine = open.filter((other) => other.address === address).length;
          const hasRoom = open.length < 5 && mine < 2;
          if (!isComing) open.shift()?.leave();
          else if (hasRoom) open.push({ address, leave: admission.admit(`192.0.2.${address}`) });
          else expect(() => admission.admit(`192.0.2.${address}`)).toThrow(REFUSED);
          expect(admission.connections()).toBe(open.length);
        }
      }),
    );
  });
});
