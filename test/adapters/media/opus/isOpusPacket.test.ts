import { OpusDecoder } from 'opus-decoder';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createOpusDecoder } from '../../../../adapters/media/opus/createOpusDecoder.ts';
import { isOpusPacket } from '../../../../adapters/media/opus/isOpusPacket.ts';
import { createRandom } from '../../../../src/model/random.ts';

afterEach(() => vi.restoreAllMocks());

const zeros = (length: number, ...head: number[]): Uint8Array => Uint8Array.from({ length }, (_, i) => head[i] ?? 0);

/** Packets of every configuration and code, of few bytes, so that each rule is kept and broken often. */
function randomPacket(random: () => number): Uint8Array {
  const small = (): number => Math.floor(random() * 6);
  const any = (): number => Math.floor(random() * 256);
  const packet = Uint8Array.from({ length: 1 + Math.floor(random() * 40) }, () => (random() < 0.6 ? small() : any()));
  packet[0] = any();
  if (packet.length > 1 && random() < 0.5)
    packet[1] = (small() + 1) | (random() < 0.5 ? 0x80 : 0) | (random() < 0.5 ? 0x40 : 0);
  return packet;
}

describe('isOpusPacket', () => {
  it.each<[string, Uint8Array, boolean]>([
    ['nothing', zeros(0), false],
    ['a table of contents alone, which says that speech was lost', zeros(1, 0x48), true],
    ['one frame as long as may be', zeros(1 + 1_275, 0x48), true],
    ['one frame that is too long (R2)', zeros(1 + 1_276, 0x48), false],
    ['two frames of one length', zeros(1 + 8, 0x49), true],
    ['two frames of one length in an odd number of bytes (R3)', zeros(1 + 7, 0x49), false],
    ['two frames of two lengths', zeros(2 + 9, 0x4a, 4), true],
    ['two frames of which the first is longer than the packet (R4)', zeros(2 + 3, 0x4a, 4), false],
    ['two frames without a length (R4)', zeros(1, 0x4a), false],
    ['a length of two bytes of which one is missing (R4)', zeros(2, 0x4a, 252), false],
    ['three frames', zeros(2 + 9, 0x4b, 3), true],
    ['three frames in eight bytes (R6)', zeros(2 + 8, 0x4b, 3), false],
    ['no frames (R5)', zeros(2, 0x4b, 0), false],
    ['no number of frames (R5)', zeros(1, 0x4b), false],
    ['120 ms of frames of 20 ms', zeros(2, 0x4b, 6), true],
    ['140 ms of frames of 20 ms (R5)', zeros(2, 0x4b, 7), false],
    ['48 frames of 2.5 ms', zeros(2, 0xe3, 48), true],
    ['49 frames of 2.5 ms (R5)', zeros(2, 0xe3, 49), false],
    ['three frames and padding', zeros(3 + 9 + 5, 0x4b, 0x43, 5), true],
    ['more padding than there is (R6)', zeros(3 + 4, 0x4b, 0x43, 5), false],
    ['two frames of variable length', zeros(3 + 9, 0x4b, 0x82, 4), true],
    ['lengths that are more than there is (R7)', zeros(3 + 3, 0x4b, 0x82, 4), false],
  ])('%s', (_, packet, isPacket) => {
    expect(isOpusPacket(packet)).toBe(isPacket);
  });

  it('says of 20,000 packets what libopus says, so that libopus prints nothing of those that are refused', async () => {
    const printed = vi.spyOn(console, 'error').mockReturnValue();
    const libopus = new OpusDecoder({ channels: 1, streamCount: 1, coupledStreamCount: 0, channelMappingTable: [0] });
    await libopus.ready;
    const random = createRandom(1);
    const counts = { packets: 0, others: 0 };
    for (let n = 0; n < 20_000; n++) {
      const packet = randomPacket(random);
      const isPacket = libopus.decodeFrame(packet).samplesDecoded > 0;
      if (isOpusPacket(packet) !== isPacket) expect.fail(`${Buffer.from(packet).toString('hex')} is ${isPacket}`);
      counts[isPacket ? 'packets' : 'others']++;
    }
    libopus.free();
    expect(Math.min(counts.packets, counts.others)).toBeGreaterThan(4_000);
    expect(printed).toHaveBeenCalledTimes(counts.others);
  });
});

describe('createOpusDecoder', () => {
  it('refuses what is no packet without a line on the console', async () => {
    const printed = vi.spyOn(console, 'error').mockReturnValue();
    const decoder = await createOpusDecoder(2);
    expect(decoder.decode(zeros(2, 0x4b, 0))).toBeUndefined();
    expect(decoder.decode(zeros(1, 0x4c))?.map(({ length }) => length)).toEqual([960, 960]);
    decoder.close();
    expect(printed).not.toHaveBeenCalled();
  });
});
