import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCorpora } from '../../fixtures/tiny/makeCorpora.ts';
import { decodeWeights, type Weights } from '../../src/model/weights.ts';
import { type CommandOutcome, type FakeTerminal, fakeTerminal, insightsIn, runCommand } from '../support/terminal.ts';
import { CALL, summaryOf } from './call.ts';

const CONFIG = fileURLToPath(new URL('../../fixtures/tiny/train.json', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'undertone-tiny-'));
const at = (...path: string[]): string => join(folder, ...path);
const env = { XDG_CACHE_HOME: at('cache') };
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const train = (out: string, more: readonly string[] = [], terminal: FakeTerminal = fakeTerminal(env)) =>
  runCommand(
    ['train', '--config', CONFIG, '--data', at('data'), '--out', at(out), '--backend', 'wasm', ...more],
    terminal,
  );
const bytesIn = (out: string): Buffer => readFileSync(at(out, 'weights.safetensors'));

type EpochLine = {
  readonly type: string;
  readonly stage: string;
  readonly epoch: number;
  readonly loss: number;
  readonly dev: Readonly<Record<string, number>>;
};
const linesOf = ({ out }: CommandOutcome): EpochLine[] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as EpochLine);

type Report = {
  readonly present: readonly string[];
  readonly rows: readonly { readonly metrics: { readonly accuracy: number } }[];
  readonly subsets: readonly (Pick<Report, 'rows'> & { readonly shown: readonly string[] })[];
};
/** Evaluates the trained weights; returns the report. */
async function evaluate(set: string, split: string, more: readonly string[] = []) {
  const argv = ['evaluate', '--weights', at('straight', 'weights.safetensors'), '--data', at('data', set)];
  const outcome = await runCommand([...argv, '--split', split, '--json', ...more], fakeTerminal(env));
  expect(outcome).toMatchObject({ status: 0, failures: [] });
  return JSON.parse(outcome.out) as Report;
}
const accuracyIn = ({ rows }: Pick<Report, 'rows'>): number => rows.at(-1)!.metrics.accuracy;

let straight: CommandOutcome;
let weights: Weights;
beforeAll(async () => {
  makeCorpora(at('data'));
  straight = await train('straight');
  if (straight.status === 0) weights = decodeWeights(bytesIn('straight'));
});

describe('undertone train, with tiny corpora of every kind', () => {
  it('makes the same corpora at every call.', () => {
    makeCorpora(at('again'));
    const files = readdirSync(at('data'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThanOrEqual(15);
    for (const { parentPath, name } of files) {
      const path = join(parentPath, name);
      expect(readFileSync(path).equals(readFileSync(path.replace(at('data'), at('again')))), path).toBe(true);
    }
  });

  it('trains words, voice, sight and dialogues, and learns in each what its data say.', () => {
    expect(straight).toMatchObject({ status: 0, failures: [] });
    const epochs = linesOf(straight).filter(({ type }) => type === 'epoch');
    expect(epochs.map(({ stage, epoch }) => `${stage} ${epoch}`)).toEqual(
      Object.entries({ words: 2, voice: 2, sight: 2, dialogues: 6 }).flatMap(([stage, count]) =>
        Array.from({ length: count }, (_, i) => `${stage} ${i + 1}`),
      ),
    );
    const lastOf = (stage: string): EpochLine['dev'] => epochs.findLast((line) => line.stage === stage)!.dev;
    // By chance: about 0.1 of the classes, 0 of a correlation, 0.5 of an area.
    expect(lastOf('words')).toEqual({ said: expect.any(Number), rated: expect.any(Number) });
    for (const score of Object.values(lastOf('words'))) expect(score).toBeGreaterThan(0.25);
    expect(lastOf('voice')['voices']).toBeGreaterThan(0.4);
    expect(lastOf('sight')['faces']).toBeGreaterThan(0.4);
    expect(lastOf('sight')['moves']).toBeGreaterThan(0.75);
    for (const score of Object.values(lastOf('dialogues'))) expect(score).toBeGreaterThan(0.75);
    for (const { loss } of epochs) expect(loss).toBeGreaterThan(0);
  });

  it('ends with weights of five inputs that know the made-up words and where they come from.', () => {
    const { config, provenance } = weights;
    expect(config.inputs.map(({ name, modality, dim }) => [name, modality, dim > 0])).toEqual([
      ['text', 'text', false],
      ['prosody', 'audio', true],
      ['segments', 'audio', true],
      ['face', 'face', true],
      ['body', 'body', true],
    ]);
    expect(config.vocabulary).toContain('zanti');
    expect(provenance).toMatchObject({ name: 'tiny-trained', seed: 3, dev: linesOf(straight).at(-1)!.dev });
  });

  it('gives the same bytes when Ctrl-C came in every stage and --resume went on.', async () => {
    const marks = ['"stage":"words","epoch":1', '"stage":"sight","epoch":1', '"stage":"dialogues","epoch":2'];
    for (const mark of marks) {
      const terminal: FakeTerminal = fakeTerminal(env, (text) => {
        if (text.includes(mark)) terminal.interrupt();
      });
      const outcome = await train('resumed', ['--resume'], terminal);
      expect([mark, outcome.status, outcome.out.includes(mark)]).toEqual([mark, 130, true]);
      expect(readdirSync(at('resumed'))).not.toContain('weights.safetensors');
    }
    const { status, out } = await train('resumed', ['--resume']);
    expect(status).toBe(0);
    expect(out).not.toContain('"stage":"sight"');
    expect(bytesIn('resumed').equals(bytesIn('straight'))).toBe(true);
  });
});

describe('what was trained', () => {
  it('is right about dialogues that it never saw, and less so with modalities missing; the report is written.', async () => {
    const report = await evaluate('calls', 'test', ['--missing', 'subsets,rates', '--out', at('report')]);
    expect(report.present).toEqual(['text', 'audio']);
    expect(accuracyIn(report)).toBeGreaterThan(0.75);
    const [both, ...single] = report.subsets;
    expect([both, ...single].map((one) => one?.shown)).toEqual([['text', 'audio'], ['text'], ['audio']]);
    for (const one of single) expect(accuracyIn(one)).toBeLessThan(accuracyIn(both!));
    for (const one of single) expect(accuracyIn(one)).toBeGreaterThan(0.35);
    expect(readdirSync(at('report'))).toEqual(
      expect.arrayContaining(['masks.json', 'missing-rates.svg', 'report.json', 'report.md', 'subsets.svg']),
    );
    const written = JSON.parse(readFileSync(at('report', 'report.json'), 'utf8')) as object;
    expect(written).toEqual(report);
    expect(readFileSync(at('report', 'report.md'), 'utf8')).toContain('tiny-trained');
  });

  it.each(['voices', 'faces'])('knows %s alone, the latter from pairing only, better than by chance.', async (set) => {
    const report = await evaluate(set, 'dev');
    expect(report.present).toEqual([set === 'voices' ? 'audio' : 'face']);
    expect(accuracyIn(report)).toBeGreaterThan(0.35); // one in seven by chance
  });

  it('replays the bundled call, whose words it does not know.', async () => {
    const path = at('straight', 'weights.safetensors');
    const tracks = ['Ada', 'Ben'].flatMap((name) => ['--track', `${name}=${join(CALL, `${name.toLowerCase()}.mp4`)}`]);
    const captions = ['--captions', join(CALL, 'captions.vtt')];
    const { status, out, failures } = await runCommand(['replay', '--json', '--weights', path, ...tracks, ...captions]);
    expect([status, failures]).toEqual([0, []]);
    const insights = insightsIn(out);
    expect(insights[0]).toMatchObject({ type: 'session', weights: 'tiny-trained', labels: weights.config.labels });
    const finals = insights.filter((insight) => insight.type === 'utterance' && insight.status === 'final');
    expect(finals).toHaveLength(summaryOf(insights).utterances);
    expect(finals.length).toBeGreaterThan(8);
  });
});
