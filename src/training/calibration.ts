import { softmax } from '../model/conversation.ts';

/**
 * The temperature that makes probabilities fit outcomes best: least negative log-likelihood of softmax(logits / T) over
 * T in [0.2, 5], by golden-section search. Source: Guo et al. 2017, arXiv 1706.04599, section 4.2.
 */
export function fitTemperature(
  outcomes: readonly { readonly logits: ArrayLike<number>; readonly truth: number }[],
): number {
  if (outcomes.length === 0) return 1;
  const loss = (logT: number): number =>
    -outcomes.reduce(
      (sum, { logits, truth }) => sum + Math.log(Math.max(1e-12, softmax(logits, Math.exp(logT))[truth] as number)),
      0,
    );
  const ratio = (Math.sqrt(5) - 1) / 2;
  let low = Math.log(0.2);
  let high = Math.log(5);
  for (let i = 0; i < 40; i++) {
    const a = high - ratio * (high - low);
    const b = low + ratio * (high - low);
    if (loss(a) < loss(b)) high = b;
    else low = a;
  }
  return Math.exp((low + high) / 2);
}
