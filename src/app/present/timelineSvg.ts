import { MODALITIES } from '../../domain/modality.ts';
import type { Speaker } from '../../domain/speaker.ts';
import { MODALITY_LETTERS } from './bars.ts';
import { cleanText } from './cleanText.ts';
import { swatchOf } from './palette.ts';
import { truncate } from './textWidth.ts';
import {
  missingStretches,
  type FinalUtterance,
  type MissingStretch,
  type Stretch,
  type TimelineInput,
} from './timeline.ts';
import { escapeXml } from './xml.ts';
import { durationText, percentText, reasonText, spokenText, timeText } from './wording.ts';

const WIDTH = 1200;
const LEFT = 130;
const RIGHT = 24;
const PLOT = WIDTH - LEFT - RIGHT;
const TOP = 74;
const BLOCK = 40;
const MODALITY_ROW = 9;
const LANE = BLOCK + MODALITIES.length * MODALITY_ROW + 18;
const AXIS = 34;
const MAX_STRIPS = 24;
const MAX_LANES = 32;
const MINUTE = 60_000;
const STRIP_LENGTHS = [5, 10, 15, 30, 60, 120, 240, 480, 1440].map((minutes) => minutes * MINUTE);
const TICKS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400].map((seconds) => seconds * 1000);

/**
 * Returns a timeline as SVG: a lane per speaker with a block per utterance, coloured by emotion, as high as we are sure;
 * under it a row per modality, hatched where it was missing. Long calls are broken into strips below each other. Times,
 * texts and reasons are in tooltips. At most 32 speakers get a lane; the SVG says how many were left out.
 */
export function renderTimelineSvg(input: TimelineInput): string {
  const durationMs = input.utterances.reduce((end, { endMs }) => Math.max(end, endMs), Math.max(1, input.durationMs));
  const speakers = speakersOf(input.utterances);
  const lanes = speakers.slice(0, MAX_LANES);
  const missing = lanes.map((speaker) => missingStretches(speaker.id, { ...input, durationMs }));
  const stripMs = stripLength(durationMs);
  const strips = Array.from({ length: Math.ceil(durationMs / stripMs) }, (_, index) => index * stripMs);
  const stripHeight = Math.max(1, lanes.length) * LANE + AXIS;
  const height = TOP + strips.length * stripHeight + 16;
  const drawn = strips.map((fromMs, index) => {
    const strip: Strip = {
      fromMs,
      toMs: Math.min(durationMs, fromMs + stripMs),
      scaleMs: Math.min(stripMs, durationMs),
    };
    const body = lanes.map((speaker, lane) => laneSvg(speaker, lane, { strip, input, missing: missing[lane] ?? [] }));
    return `<g transform="translate(0 ${TOP + index * stripHeight})">\n${axisSvg(strip, stripHeight)}${body.join('')}</g>\n`;
  });
  return `${openSvg(height)}${headSvg(input, durationMs, speakers.length - lanes.length)}${drawn.join('')}</svg>\n`;
}

type Strip = { readonly fromMs: number; readonly toMs: number; readonly scaleMs: number };
type LaneContent = {
  readonly strip: Strip;
  readonly input: TimelineInput;
  readonly missing: readonly MissingStretch[];
};

function laneSvg({ id, name }: Speaker, lane: number, { strip, input, missing }: LaneContent): string {
  const title = escapeXml(cleanText(name));
  const short = escapeXml(truncate(cleanText(name), 15));
  const letters = MODALITIES.map((modality, row) => {
    const y = BLOCK + 13 + row * MODALITY_ROW;
    return `<text x="${LEFT - 8}" y="${y}" class="letter">${MODALITY_LETTERS[modality]}</text>`;
  });
  const blocks = input.utterances
    .filter((utterance) => utterance.speaker.id === id && overlaps(utterance, strip))
    .map((utterance) => blockSvg(utterance, strip));
  const rows = MODALITIES.map((_, row) => {
    const [x, width] = extent({ startMs: strip.fromMs, endMs: strip.toMs }, strip);
    return `<rect x="${x}" y="${BLOCK + 6 + row * MODALITY_ROW}" width="${width}" height="${MODALITY_ROW - 2}" class="there"/>`;
  });
  const hatched = missing.filter((stretch) => overlaps(stretch, strip)).map((stretch) => hatchSvg(stretch, strip));
  return (
    `<g transform="translate(0 ${lane * LANE})">\n` +
    `<text x="14" y="${BLOCK / 2 + 8}" class="name">${short}<title>${title}</title></text>${letters.join('')}\n` +
    `${rows.join('')}\n${hatched.join('')}${blocks.join('')}</g>\n`
  );
}

function blockSvg(utterance: FinalUtterance, strip: Strip): string {
  const { hex, ink, letter } = swatchOf(utterance.label);
  const [x, width] = extent(utterance, strip);
  const height = round(BLOCK * (0.3 + 0.7 * Math.min(1, Math.max(0, utterance.confidence))));
  const label = cleanText(utterance.label);
  const fits = width > label.length * 7 + 8 ? label : width > 12 ? letter : '';
  const word = `<text x="${round(x + width / 2)}" y="${BLOCK - 5}" class="word" style="fill:${ink}">${escapeXml(fits)}</text>`;
  return (
    `<g class="utterance"><title>${escapeXml(tooltip(utterance))}</title>` +
    `<rect x="${x}" y="${round(BLOCK - height)}" width="${width}" height="${height}" rx="2" fill="${hex}"/>` +
    `${fits === '' ? '' : word}</g>\n`
  );
}

function tooltip(utterance: FinalUtterance): string {
  const weights = MODALITIES.filter((modality) => utterance.modalityWeights[modality] > 0).map(
    (modality) => `${modality} ${percentText(utterance.modalityWeights[modality])}`,
  );
  const said = truncate(spokenText(utterance), 300);
  return [
    `${cleanText(utterance.speaker.name)}, ${timeText(utterance.startMs)}–${timeText(utterance.endMs)}`,
    `${cleanText(utterance.label)} ${percentText(utterance.confidence)} (${weights.join(', ') || 'no modality'})`,
    said,
  ].join('\n');
}

function hatchSvg({ modality, reason, ...stretch }: MissingStretch, strip: Strip): string {
  const [x, width] = extent(stretch, strip);
  const y = BLOCK + 6 + MODALITIES.indexOf(modality) * MODALITY_ROW;
  const when = `${timeText(stretch.startMs)}–${timeText(stretch.endMs)}`;
  return (
    `<g class="missing"><title>${modality} missing, ${when}: ${escapeXml(reasonText(reason))}</title>` +
    `<rect x="${x}" y="${y}" width="${width}" height="${MODALITY_ROW - 2}" fill="#ffffff"/>` +
    `<rect x="${x}" y="${y}" width="${width}" height="${MODALITY_ROW - 2}" fill="url(#hatch)"/></g>\n`
  );
}

function axisSvg(strip: Strip, stripHeight: number): string {
  const y = stripHeight - AXIS;
  const step = TICKS.find((tick) => strip.scaleMs / tick <= 14) ?? 28_800_000;
  const first = Math.ceil(strip.fromMs / step) * step;
  const count = Math.max(0, Math.floor((strip.toMs - first) / step) + 1);
  const ticks = Array.from({ length: count }, (_, index) => {
    const x = round(LEFT + ((first + index * step - strip.fromMs) / strip.scaleMs) * PLOT);
    const label = durationText(first + index * step);
    return `<path d="M${x} -6V${y}" class="grid"/><text x="${x}" y="${y + 15}" class="tick">${label}</text>\n`;
  });
  return ticks.join('');
}

function headSvg({ utterances }: TimelineInput, durationMs: number, speakersLeftOut: number): string {
  const labels = [...new Set(utterances.map(({ label }) => label))].sort().slice(0, 12);
  const more = speakersLeftOut > 0 ? `, ${speakersLeftOut} more speakers not drawn` : '';
  let x = LEFT;
  const legend = labels.map((label) => {
    const { hex, ink, letter } = swatchOf(label);
    const name = truncate(cleanText(label), 14);
    const entry = `<rect x="${x}" y="36" width="13" height="13" rx="2" fill="${hex}"/><text x="${x + 6.5}" y="46" class="word" style="fill:${ink}">${escapeXml(letter)}</text><text x="${x + 18}" y="47">${escapeXml(name)}</text>\n`;
    x += 34 + name.length * 7;
    return entry;
  });
  const rest = `<rect x="${x}" y="36" width="26" height="13" fill="url(#hatch)"/><text x="${x + 32}" y="47">missing</text>\n`;
  const key = 'height: confidence · rows: T text, A audio, F face, B body';
  return (
    `<text x="14" y="22" class="name">Emotions over ${durationText(durationMs)}${more}</text>` +
    `<text x="${WIDTH - RIGHT}" y="22" text-anchor="end" class="key">${key}</text>\n${legend.join('')}${rest}`
  );
}

function openSvg(height: number): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Emotions over time, one lane per speaker">\n` +
    '<style>text{font:12px system-ui,sans-serif;fill:#222}.name{font-weight:600;font-size:14px}.letter{font-size:9px;text-anchor:end;fill:#666}' +
    '.tick{text-anchor:middle;fill:#555;font-size:11px}.key{fill:#555}.grid{stroke:#e4e4e4}.there{fill:#cfe3da}.word{text-anchor:middle;font-size:11px}</style>\n' +
    '<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V5" stroke="#8a8a8a" stroke-width="2"/></pattern></defs>\n' +
    '<rect width="100%" height="100%" fill="#ffffff"/>\n'
  );
}

/** Left edge and width in the drawing of the part of a stretch that lies in the strip; never thinner than 1. */
function extent({ startMs, endMs }: Stretch, strip: Strip): [number, number] {
  const from = Math.max(startMs, strip.fromMs);
  const to = Math.min(endMs, strip.toMs);
  const x = LEFT + ((from - strip.fromMs) / strip.scaleMs) * PLOT;
  return [round(x), Math.max(1, round(((to - from) / strip.scaleMs) * PLOT))];
}

function overlaps({ startMs, endMs }: Stretch, { fromMs, toMs }: Strip): boolean {
  return startMs < toMs && Math.max(endMs, startMs + 1) > fromMs;
}

/** The whole call in one strip up to 5 min; above that, the shortest round length that gives at most 24 strips. */
function stripLength(durationMs: number): number {
  return STRIP_LENGTHS.find((ms) => durationMs / ms <= MAX_STRIPS) ?? Math.ceil(durationMs / MAX_STRIPS);
}

function speakersOf(utterances: readonly FinalUtterance[]): readonly Speaker[] {
  return [...new Map(utterances.map(({ speaker }) => [speaker.id, speaker])).values()];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
