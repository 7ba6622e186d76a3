/** Longest frame of a packet, in bytes (R2). */
const MAX_FRAME_BYTES = 1_275;
/** Longest packet, in samples at 48 kHz: 120 ms (R5). */
const MAX_SAMPLES = 5_760;

/**
 * Is this an Opus packet by the seven rules [R1] to [R7] of RFC 6716, section 3.4? Whatever passes, libopus can decode,
 * though not to anything sensible; what does not pass, libopus would refuse, with a line on the console each time.
 */
export function isOpusPacket(packet: Uint8Array): boolean {
  const [toc] = packet;
  if (toc === undefined) return false;
  const body = packet.subarray(1);
  switch (toc & 3) {
    case 0:
      return body.length <= MAX_FRAME_BYTES;
    case 1:
      return body.length % 2 === 0 && body.length / 2 <= MAX_FRAME_BYTES;
    case 2:
      return areFrames(body, 2);
    default:
      return isCounted(body, samplesOf(toc >> 3));
  }
}

/** Samples of one frame at 48 kHz, by the configuration (table 2). */
function samplesOf(config: number): number {
  if (config < 12) return [480, 960, 1_920, 2_880][config & 3] ?? 0;
  if (config < 16) return config & 1 ? 960 : 480;
  return 120 << (config & 3);
}

/** A packet of code 3: a byte that says how many frames, whether their lengths vary and whether padding follows. */
function isCounted(body: Uint8Array, samples: number): boolean {
  const [head] = body;
  if (head === undefined) return false;
  const count = head & 0x3f;
  if (count === 0 || count * samples > MAX_SAMPLES) return false;
  const frames = head & 0x40 ? withoutPadding(body.subarray(1)) : body.subarray(1);
  if (frames === undefined) return false;
  if (head & 0x80) return areFrames(frames, count);
  return frames.length % count === 0 && frames.length / count <= MAX_FRAME_BYTES;
}

/** What is left between the length of the padding and the padding; undefined when the padding is longer than that. */
function withoutPadding(body: Uint8Array): Uint8Array | undefined {
  let [padding, at] = [0, 0];
  let length: number | undefined;
  do {
    length = body[at++];
    if (length === undefined) return undefined;
    padding += length === 255 ? 254 : length;
  } while (length === 255);
  return body.length - at >= padding ? body.subarray(at, body.length - padding) : undefined;
}

/** Frames, each but the last behind its length, which is one byte, or two from 252 on (section 3.2.1). */
function areFrames(body: Uint8Array, count: number): boolean {
  let at = 0;
  let frameBytes = 0;
  for (let i = 1; i < count; i++) {
    const [first, second] = body.subarray(at, at + 2);
    if (first === undefined || (first >= 252 && second === undefined)) return false;
    at += first < 252 ? 1 : 2;
    frameBytes += first < 252 ? first : first + 4 * (second ?? 0);
  }
  const last = body.length - at - frameBytes;
  return last >= 0 && last <= MAX_FRAME_BYTES;
}
