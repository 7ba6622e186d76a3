import { isUndertoneError } from '../errors.ts';
import { COMPONENT_FACTS, COMPONENTS, type Component } from './doctor/components.ts';
import { cleanText } from './present/cleanText.ts';
import { paintLine, type Paint, type Span } from './present/paint.ts';
import { fit } from './present/textWidth.ts';

/**
 * What a probe found: a version and where it comes from, or why it found nothing. `note` adds what else to know, and
 * `details` what stands below, one line each.
 */
type Finding =
  | {
      readonly isFound: true;
      readonly version: string;
      readonly from: string;
      readonly note?: string;
      readonly details?: readonly string[];
    }
  | { readonly isFound: false; readonly reason: string };

/** Looks for one part. It may throw: that counts as not found. */
export type Probe = () => Promise<Finding>;

/** One probe for every part. */
export type DoctorProbes = Readonly<Record<Component, Probe>>;

/** A part in the report; `withoutIt` and `howToGet` are there when it was not found. */
type ComponentReport = {
  readonly component: Component;
  readonly title: string;
  readonly isRequired: boolean;
  readonly finding: Finding;
  readonly withoutIt?: string;
  readonly howToGet?: string;
};

/** Every part, and whether the main job works: a recording in, emotions of its utterances out. */
export type DoctorReport = { readonly works: boolean; readonly components: readonly ComponentReport[] };

/** How long a probe may take, in ms: what is slow on a busy machine is there all the same, and must not be called missing. */
export const PROBE_LIMIT_MS = 10_000;

/**
 * Returns the report on every part. Probes run side by side; one that throws or takes longer than `limitMs` counts as
 * not found and says so, and never keeps the others from being reported. Never rejects.
 */
export async function runDoctor(probes: DoctorProbes, limitMs: number = PROBE_LIMIT_MS): Promise<DoctorReport> {
  const findings = await Promise.all(COMPONENTS.map((component) => findingOf(probes[component], limitMs)));
  const components = COMPONENTS.map((component, index): ComponentReport => {
    const { title, isRequired, withoutIt, howToGet } = COMPONENT_FACTS[component];
    const finding = findings[index] ?? { isFound: false, reason: 'no probe' };
    return { component, title, isRequired, finding, ...(!finding.isFound && { withoutIt, howToGet }) };
  });
  return { works: components.every(({ isRequired, finding }) => finding.isFound || !isRequired), components };
}

/** Returns the exit status of a report: 0 when the main job works, otherwise 1. */
export function exitStatusOf(report: DoctorReport): 0 | 1 {
  return report.works ? 0 : 1;
}

/** Returns the report as one line of JSON, without line end. */
export function doctorJson(report: DoctorReport): string {
  return JSON.stringify(report);
}

/**
 * Returns the report for people, lines joined by `\n`: a line per part with what was found or why not; below what is
 * missing, what is lost without it and how to get it; at the end whether the main job works. Nothing is cut.
 */
export function renderDoctor(report: DoctorReport, paint: Paint): string {
  const end: Span = report.works
    ? { text: ' Undertone can analyze recordings.', style: { bold: true } }
    : { text: ' Undertone cannot analyze recordings: get what is marked ✗ first.', style: { bold: true, colour: BAD } };
  const lines = [...report.components.flatMap(componentLines), [], [end]];
  return lines.map((line) => paintLine(line, Infinity, paint)).join('\n');
}

const GOOD = { ansi256: 36, ansi16: 32 };
const BAD = { ansi256: 166, ansi16: 31 };
const TITLE_WIDTH = 22;

function componentLines(part: ComponentReport): readonly (readonly Span[])[] {
  const { finding, isRequired } = part;
  const title = fit(part.title, TITLE_WIDTH);
  if (finding.isFound) {
    const facts = [finding.version, `from ${finding.from}`, ...(finding.note ? [finding.note] : [])];
    const found = [{ text: ' ✓ ', style: { colour: GOOD } }, { text: title }, { text: cleanText(facts.join(', ')) }];
    return [found, ...(finding.details ?? []).map((text) => detail(cleanText(text)))];
  }
  const mark: Span = isRequired
    ? { text: ' ✗ ', style: { bold: true, colour: BAD } }
    : { text: ' – ', style: { dim: true } };
  const reason: Span = { text: `missing: ${cleanText(finding.reason)}`, style: isRequired ? { colour: BAD } : {} };
  return [
    [mark, { text: title }, reason],
    detail(`without it: ${part.withoutIt ?? ''}`),
    detail(`to get it: ${part.howToGet ?? ''}`),
  ];
}

/** A line below a part, under its facts. */
function detail(text: string): readonly Span[] {
  return [{ text: `${' '.repeat(3 + TITLE_WIDTH)}${text}`, style: { dim: true } }];
}

async function findingOf(probe: Probe, limitMs: number): Promise<Finding> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((resolve) => {
    timer = setTimeout(() => resolve({ isFound: false, reason: `no answer within ${limitMs} ms` }), limitMs);
  });
  const found = Promise.resolve().then(probe).catch(notFound);
  return Promise.race([found, late]).finally(() => clearTimeout(timer));
}

function notFound(error: unknown): Finding {
  if (isUndertoneError(error)) return { isFound: false, reason: `${error.code}: ${error.message}` };
  return { isFound: false, reason: (error instanceof Error && error.message) || 'the probe failed' };
}
