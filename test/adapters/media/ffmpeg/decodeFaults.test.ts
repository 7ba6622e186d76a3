import { describe, expect, it } from 'vitest';
import { createDecodeFaults } from '../../../../adapters/media/ffmpeg/decodeFaults.ts';

function ruleOf(...lines: string[]): string | null {
  const faults = createDecodeFaults('file:/partial file.mp4');
  lines.forEach(faults.line);
  return faults.rule();
}

describe('createDecodeFaults', () => {
  it.each([
    ['[mov,mp4 @ 0x12] stream 1, offset 0x5766: partial file', 'the file breaks off'],
    ['[matroska,webm @ 0x55] File ended prematurely', 'the file breaks off'],
    ['[matroska,webm @ 0x31] Read error', 'the file breaks off'],
    ['Error while decoding stream #0:1: Invalid data found when processing input', 'a part is damaged'],
    ['[aist#0:0/aac @ 0x5] Error submitting packet to decoder: x', 'a part is damaged'],
    [
      '[SWR @ 0x1] Failed to compensate for timestamp delta of 3601.0',
      'a gap or a frame is larger than can be handled',
    ],
    [
      '[f32le @ 0x2] Application provided invalid, non monotonically increasing dts to muxer in stream 0: 1 >= 0',
      'the stream changes its format midway, so times are not kept',
    ],
    ['Decoder (codec none) not found for input stream #0:0', 'this ffmpeg has no decoder for it'],
  ])('takes %j for: %s', (line, rule) => {
    expect(ruleOf(line)).toBe(rule);
  });

  it('passes over what is no harm', () => {
    expect(ruleOf('', 'Header missing', 'Last message repeated 28 times')).toBeNull();
  });

  it('does not take words of the file name for a fault', () => {
    expect(ruleOf('file:/partial file.mp4: something harmless')).toBeNull();
  });

  it('keeps the most telling of several', () => {
    const [damaged, off] = ['Invalid data found', 'stream 1, offset 0x5766: partial file'];
    expect(ruleOf(damaged, off, damaged)).toBe('the file breaks off');
  });
});
