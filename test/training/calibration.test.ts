import { describe, expect, it } from 'vitest';
import { softmax } from '../../src/model/conversation.ts';
import { createRandom } from '../../src/model/random.ts';
import { fitTemperature } from '../../src/training/calibration.ts';
import { calibrationError } from '../../src/training/metrics.ts';

/** Outcomes drawn from softmax(logits / temperature). */
function drawn(temperature: number, count: number): { logits: number[]; truth: number }[] {
  const random = createRandom(11);
  return Array.from({ length: count }, () => {
    const logits = Array.from({ length: 4 }, () => 6 * random() - 3);
    let left = random();
    const truth = softmax(logits, temperature).findIndex((p) => (left -= p) < 0);
    return { logits, truth: Math.max(0, truth) };
  });
}

describe('fitTemperature', () => {
  it.each([0.5, 1, 2.5])('finds the temperature %s by which outcomes were drawn.', (temperature) => {
    expect(fitTemperature(drawn(temperature, 4000)) / temperature).toBeCloseTo(1, 1);
  });

  it('lowers the calibration error of answers that are too sure.', () => {
    const list = drawn(2.5, 2000);
    const errorAt = (temperature: number): number =>
      calibrationError(
        list.map(({ logits, truth }) => ({ dialogue: 'd', truth, probabilities: softmax(logits, temperature) })),
        15,
      );
    expect(errorAt(1)).toBeGreaterThan(0.2);
    expect(errorAt(fitTemperature(list))).toBeLessThan(0.05);
  });

  it('stays within 0.2 and 5 however wrong or right the answers are, and is 1 without any.', () => {
    expect(fitTemperature([{ logits: [3, 0], truth: 0 }])).toBeCloseTo(0.2, 3);
    expect(fitTemperature([{ logits: [3, 0], truth: 1 }])).toBeCloseTo(5, 3);
    expect(fitTemperature([])).toBe(1);
  });
});
