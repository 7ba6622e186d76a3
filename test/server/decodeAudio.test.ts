import { describe, expect, it } from 'vitest';
import { createOpusDecoder } from '../../adapters/media/opus/createOpusDecoder.ts';
import type { AudioFormat } from '../../src/protocol/live.ts';
import { createResampler } from '../../src/domain/resample.ts';
import { createAudioDecoder } from '../../src/server/ingest/decodeAudio.ts';
import { createAudioPlacer } from '../../src/server/ingest/placeAudio.ts';

const format = (encoding: AudioFormat['encoding'], sampleRateHz = 16_000, channels: 1 | 2 = 1): AudioFormat => ({
  encoding,
  sampleRateHz,
  channels,
});
const pcm = (...samples: number[]): Uint8Array => new Uint8Array(Int16Array.from(samples).buffer);
const samplesOf = (decoder: ReturnType<typeof createAudioDecoder>, payload: Uint8Array): number[] => {
  const decoded = decoder.decode(payload);
  return decoded.ok ? [...decoded.samples] : [];
};

describe('createAudioDecoder', () => {
  it('reads little-endian PCM16, at any place in memory', () => {
    const bytes = new Uint8Array(7);
    bytes.set(pcm(-32_768, 16_384, 0), 1);
    expect(samplesOf(createAudioDecoder(format('pcm16')), bytes.subarray(1))).toEqual([-1, 0.5, 0]);
  });

  it('mixes two channels down to their mean', () => {
    const decoder = createAudioDecoder(format('pcm16', 16_000, 2));
    expect(samplesOf(decoder, pcm(16_384, 0, -16_384, 16_384))).toEqual([0.25, 0]);
  });

  it('reads µ-law as G.711 says: both zeros, both ends, and the codes between in order', () => {
    const decoder = createAudioDecoder(format('mulaw'));
    const [positiveZero, negativeZero, most, least] = samplesOf(decoder, Uint8Array.of(0xff, 0x7f, 0x80, 0x00));
    expect([positiveZero, Math.abs(negativeZero ?? 1)]).toEqual([0, 0]);
    expect([(most ?? 0) * 32_768, (least ?? 0) * 32_768]).toEqual([32_124, -32_124]);
    const rising = samplesOf(
      decoder,
      Uint8Array.from({ length: 128 }, (_, i) => 0xff - i),
    );
    expect(rising.every((value, i) => i === 0 || value > (rising[i - 1] ?? 0))).toBe(true);
  });

  it.each([
    ['not a whole number of samples', format('pcm16'), new Uint8Array(3)],
    ['not a whole number of samples', format('pcm16', 16_000, 2), new Uint8Array(6)],
    ['no samples', format('mulaw'), new Uint8Array(0)],
    ['longer than 2000 ms', format('mulaw', 8_000), new Uint8Array(16_001)],
  ])('refuses what is %s', (rule, one, payload) => {
    expect(createAudioDecoder(one).decode(payload)).toEqual({ ok: false, rule });
  });

  it('reads Opus packets, silence too, and refuses what is none', async () => {
    const decoder = createAudioDecoder(format('opus', 48_000), await createOpusDecoder(1));
    // A packet of the table of contents alone: SILK, wideband, 20 ms, no data (RFC 6716, section 3.1): lost speech.
    const decoded = decoder.decode(Uint8Array.of(0x48));
    expect(decoded.ok && decoded.durationMs).toBe(20);
    expect(decoder.decode(Uint8Array.of(0x4b, 0x00))).toEqual({ ok: false, rule: 'not an Opus packet' });
    decoder.close();
    expect(() => createAudioDecoder(format('opus'))).toThrow(RangeError);
  });

  it('reads the first Opus packet of a stream, and the first after a hole, as any other', async () => {
    const packet = Uint8Array.of(0x48, 1, 2, 3);
    const [plain, decoder] = [
      await createOpusDecoder(1),
      createAudioDecoder(format('opus'), await createOpusDecoder(1)),
    ];
    const placer = createAudioPlacer(decoder);
    for (const mediaMs of [0, 5_000, 9_000]) {
      const placed = placer.place(mediaMs, packet);
      const resampled = createResampler(48_000, 16_000).process(plain.decode(packet)?.[0] ?? new Float32Array(0));
      expect(placed.ok && placed.startMs).toBe(mediaMs);
      expect(placed.ok && [...placed.samples]).toEqual([...resampled]);
      expect(resampled.some((sample) => sample !== 0)).toBe(true);
    }
    plain.close();
    decoder.close();
  });
});

describe('createAudioPlacer', () => {
  const payload = new Uint8Array(2 * 16 * 20);
  const placer = () => createAudioPlacer(createAudioDecoder(format('pcm16')));

  it('counts samples where stamps jitter, and begins anew where media was left out', () => {
    const placed = [0, 25, 35, 60, 1_000]
      .map((mediaMs) => mediaMs)
      .map(
        ((one) => (mediaMs: number) => {
          const result = one.place(mediaMs, payload);
          return result.ok ? result.startMs : result.rule;
        })(placer()),
      );
    expect(placed).toEqual([0, 20, 40, 60, 1_000]);
  });

  it('never runs back in time', () => {
    const one = placer();
    one.place(1_000, payload);
    expect(one.place(500, payload)).toMatchObject({ startMs: 1_020 });
  });

  it.each([200, -200])('stays within 40 ms of a media clock that drifts by %d ppm, and says by how much', (ppm) => {
    const one = placer();
    let worst = 0;
    for (let n = 0; n < 60_000; n++) {
      const mediaMs = n * 20 * (1 + ppm / 1e6);
      const placed = one.place(mediaMs, payload);
      if (placed.ok) worst = Math.max(worst, Math.abs(placed.startMs - mediaMs));
    }
    expect(worst).toBeLessThanOrEqual(41);
    expect(Math.abs(one.driftPpm() - ppm)).toBeLessThan(2);
  });
});
