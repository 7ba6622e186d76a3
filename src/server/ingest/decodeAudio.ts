import type { OpusPacketDecoder } from '../../adapter.ts';
import { createResampler } from '../../domain/resample.ts';
import type { AudioFormat } from '../../protocol/live.ts';

/** Longest piece of sound that one frame may hold, in ms. */
export const MAX_FRAME_MS = 2_000;
/** Rate of all sound behind the ingest. */
const RATE_HZ = 16_000;

/** What a payload decodes to: 16 kHz mono in [-1, 1] and the length of what went in, or the rule it breaks. */
export type DecodedAudio =
  | { readonly ok: true; readonly samples: Float32Array; readonly durationMs: number }
  | { readonly ok: false; readonly rule: string };

/** Decodes the payloads of one audio stream, in order. */
export type AudioDecoder = {
  /** Never throws. A payload that is refused changes nothing. */
  decode(payload: Uint8Array): DecodedAudio;
  /** The next payload does not join on: what is held back of the one before for resampling is let go. */
  reset(): void;
  close(): void;
};

/**
 * Returns a decoder of PCM16 (little-endian), G.711 µ-law (ITU-T G.711, table 2) or Opus. `opus` is asked for when a stream is Opus.
 * @throws RangeError when the format is `opus` and no decoder of packets is given.
 */
export function createAudioDecoder(format: AudioFormat, opus?: OpusPacketDecoder): AudioDecoder {
  const { encoding, channels } = format;
  if (encoding === 'opus' && !opus) throw new RangeError('opus: a decoder of packets must be given');
  const rateHz = encoding === 'opus' ? 48_000 : format.sampleRateHz;
  let resampler = createResampler(rateHz, RATE_HZ);
  const toChannels = (payload: Uint8Array): readonly Float32Array[] | string => {
    if (encoding === 'opus') return opus?.decode(payload) ?? 'not an Opus packet';
    const width = encoding === 'pcm16' ? 2 : 1;
    if (payload.length % (width * channels) !== 0) return 'not a whole number of samples';
    return deinterleave(encoding === 'pcm16' ? fromPcm16(payload) : fromMulaw(payload), channels);
  };
  return {
    decode: (payload) => {
      const decoded = toChannels(payload);
      if (typeof decoded === 'string') return { ok: false, rule: decoded };
      const mono = mixDown(decoded);
      if (mono.length === 0) return { ok: false, rule: 'no samples' };
      if (mono.length > (MAX_FRAME_MS * rateHz) / 1000) return { ok: false, rule: `longer than ${MAX_FRAME_MS} ms` };
      return { ok: true, samples: resampler.process(mono), durationMs: (mono.length * 1000) / rateHz };
    },
    reset: () => {
      resampler = createResampler(rateHz, RATE_HZ);
    },
    close: () => opus?.close(),
  };
}

function fromPcm16(payload: Uint8Array): Float32Array {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const samples = new Float32Array(payload.length / 2);
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(2 * i, true) / 32_768;
  return samples;
}

const MULAW: Float32Array = Float32Array.from({ length: 256 }, (_, code) => {
  const inverted = ~code & 0xff;
  const magnitude = (((inverted & 0x0f) << 3) + 0x84) << ((inverted >> 4) & 0x07);
  return ((inverted & 0x80 ? -1 : 1) * (magnitude - 0x84)) / 32_768;
});

function fromMulaw(payload: Uint8Array): Float32Array {
  const samples = new Float32Array(payload.length);
  for (let i = 0; i < samples.length; i++) samples[i] = MULAW[payload[i] ?? 0] ?? 0;
  return samples;
}

function deinterleave(samples: Float32Array, channels: number): readonly Float32Array[] {
  if (channels === 1) return [samples];
  return Array.from({ length: channels }, (_, c) => {
    const channel = new Float32Array(samples.length / channels);
    for (let i = 0; i < channel.length; i++) channel[i] = samples[i * channels + c] ?? 0;
    return channel;
  });
}

function mixDown(channels: readonly Float32Array[]): Float32Array {
  const [first] = channels;
  if (first === undefined || channels.length === 1) return first ?? new Float32Array(0);
  return first.map((_, i) => channels.reduce((sum, channel) => sum + (channel[i] ?? 0), 0) / channels.length);
}
