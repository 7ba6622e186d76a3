import type { Insight, SpeakerSummary } from '../domain/insight.ts';
import { perModality, type Availability } from '../domain/modality.ts';

const UNITS = 10_000;
const SUM_TOLERANCE = 1e-3;

/**
 * Returns `shares` rounded to 4 decimals so that they still sum to exactly 1 (in units of 1/10,000), by the largest
 * remainder method: order is kept, a share that is exactly 0 stays 0, ties go to the earlier key. All zeros stay zeros.
 * @throws RangeError when a share is negative or not finite, or when the sum is neither 0 nor within 0.001 of 1.
 */
export function roundShares(shares: Readonly<Record<string, number>>): Record<string, number> {
  const entries = Object.entries(shares);
  const sum = entries.reduce((total, [, share]) => total + checkedShare(share), 0);
  if (sum === 0) return Object.fromEntries(entries.map(([key]) => [key, 0]));
  if (Math.abs(sum - 1) > SUM_TOLERANCE) throw new RangeError(`shares must sum to 1, but sum to ${sum}`);
  const scaled = entries.map(([key, share]) => {
    const exact = (share / sum) * UNITS;
    return { key, units: Math.floor(exact), remainder: exact - Math.floor(exact), isZero: share === 0 };
  });
  let left = UNITS - scaled.reduce((total, { units }) => total + units, 0);
  for (const entry of scaled.filter(({ isZero }) => !isZero).sort((a, b) => b.remainder - a.remainder)) {
    if (left === 0) break;
    entry.units += 1;
    left -= 1;
  }
  return Object.fromEntries(scaled.map(({ key, units }) => [key, units / UNITS]));
}

/** Returns a ratio in [0, 1] rounded to 4 decimals; only what is exactly 0 or 1 becomes 0 or 1. @throws RangeError */
export function roundRatio(ratio: number): number {
  const checked = checkedShare(ratio);
  if (checked > 1) throw new RangeError(`a ratio must lie in [0, 1], but is ${ratio}`);
  if (checked === 0 || checked === 1) return checked + 0;
  return Math.min(Math.max(Math.round(checked * UNITS), 1), UNITS - 1) / UNITS;
}

/**
 * Returns the insight as it goes over the wire: times in whole milliseconds, ratios and shares in 4 decimals with sums
 * kept. `confidence` becomes the rounded probability of `label`, so the two never disagree. Rounding twice changes nothing.
 * @throws RangeError when a time is not finite, or a ratio or a sum of shares is out of range.
 */
export function roundInsight(insight: Insight): Insight {
  const atMs = roundMs(insight.atMs);
  switch (insight.type) {
    case 'session':
    case 'modality':
    case 'speaker':
    case 'fault':
      return { ...insight, atMs };
    case 'interim':
    case 'gap':
      return { ...insight, atMs, startMs: roundMs(insight.startMs), endMs: roundMs(insight.endMs) };
    case 'utterance': {
      const probabilities = roundShares(insight.probabilities);
      return {
        ...insight,
        atMs,
        startMs: roundMs(insight.startMs),
        endMs: roundMs(insight.endMs),
        confidence: probabilities[insight.label] ?? roundRatio(insight.confidence),
        probabilities,
        modalityWeights: roundWeights(insight.modalityWeights),
        availability: perModality((modality) => roundAvailability(insight.availability[modality])),
        latencyMs: roundMs(insight.latencyMs),
        computeMs: roundMs(insight.computeMs),
      };
    }
    case 'summary':
      return {
        ...insight,
        atMs,
        durationMs: roundMs(insight.durationMs),
        speakers: insight.speakers.map(roundSpeaker),
      };
  }
}

function roundSpeaker(summary: SpeakerSummary): SpeakerSummary {
  return {
    ...summary,
    talkMs: roundMs(summary.talkMs),
    emotionShares: roundShares(summary.emotionShares),
    trajectory: summary.trajectory.map((point) => ({
      ...point,
      startMs: roundMs(point.startMs),
      confidence: roundRatio(point.confidence),
    })),
    availability: perModality((modality) => roundRatio(summary.availability[modality])),
  };
}

function roundWeights(weights: Readonly<Record<'text' | 'audio' | 'face' | 'body', number>>): typeof weights {
  const rounded = roundShares(weights);
  return perModality((modality) => rounded[modality] ?? 0);
}

function roundAvailability(availability: Availability): Availability {
  return { ...availability, share: roundRatio(availability.share) };
}

function roundMs(ms: number): number {
  if (!Number.isFinite(ms)) throw new RangeError(`a time in ms must be finite, but is ${ms}`);
  return Math.round(ms) + 0; // + 0 makes -0 plain 0
}

function checkedShare(share: number): number {
  if (!(Number.isFinite(share) && share >= 0)) throw new RangeError(`a share must be finite and >= 0, but is ${share}`);
  return share;
}
