import { OpusDecoder } from 'opus-decoder';
import type { OpusPacketDecoder } from '../../../src/adapter.ts';
import { isOpusPacket } from './isOpusPacket.ts';

/** Returns a decoder for one stream of Opus packets, by libopus in WebAssembly (opus-decoder). `channels` of the result. */
export async function createOpusDecoder(channels: 1 | 2): Promise<OpusPacketDecoder> {
  const decoder = new OpusDecoder({
    channels,
    streamCount: 1,
    coupledStreamCount: channels - 1,
    channelMappingTable: channels === 1 ? [0] : [0, 1],
  });
  await decoder.ready;
  return {
    decode: (packet) => {
      if (!isOpusPacket(packet)) return undefined;
      try {
        const { channelData, samplesDecoded, errors } = decoder.decodeFrame(packet);
        return errors.length > 0 || samplesDecoded === 0 ? undefined : channelData;
      } catch {
        return undefined;
      }
    },
    close: () => decoder.free(),
  };
}
