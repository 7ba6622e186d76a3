/**
 * Returns the modified Bessel function of the first kind, order 0, which Kaiser windows are made of; relative error 1e-15.
 * Source: its power series, Abramowitz & Stegun 9.6.12 (all terms are positive, so nothing cancels).
 */
export function besselI0(x: number): number {
  const quarter = (x * x) / 4;
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= quarter / (k * k);
    sum += term;
  }
  return sum;
}
