import { describe, expect, it, vi } from 'vitest';
import {
  doctorJson,
  exitStatusOf,
  PROBE_LIMIT_MS,
  renderDoctor,
  runDoctor,
  type DoctorProbes,
  type Probe,
} from '../../src/app/doctor.ts';
import { createBuiltInProbe, createRecognizersProbe } from '../../src/app/doctor/builtIn.ts';
import { COMPONENT_FACTS, COMPONENTS, type Component } from '../../src/app/doctor/components.ts';
import { createPaint } from '../../src/app/present/paint.ts';
import { UndertoneError } from '../../src/errors.ts';
import { createFakeRecognizer } from '../support/fakeRecognizer.ts';

const found: Probe = async () => ({ isFound: true, version: '1.2.3', from: '/somewhere' });
const missing: Probe = async () => ({ isFound: false, reason: 'not there' });
const probesWith = (some: Partial<DoctorProbes>): DoctorProbes => ({
  ffmpeg: found,
  vad: found,
  backend: found,
  trainingBackend: found,
  weights: found,
  faceModel: found,
  bodyModel: found,
  vision: found,
  recognizers: found,
  captions: found,
  rttm: found,
  privacy: found,
  ...some,
});
const reasonOf = async (probe: Probe, limitMs?: number): Promise<string> => {
  const { finding } = (await runDoctor(probesWith({ vad: probe }), limitMs)).components[1]!;
  return finding.isFound ? 'found' : finding.reason;
};

describe('runDoctor', () => {
  it('reports every part in order, with what is lost and how to get it only for what is missing', async () => {
    const { components, works } = await runDoctor(probesWith({ faceModel: missing }));
    expect(components.map(({ component }) => component)).toEqual([...COMPONENTS]);
    expect(works).toBe(true);
    expect(components.filter((part) => 'withoutIt' in part)).toEqual([
      expect.objectContaining({ component: 'faceModel', withoutIt: 'faces are not analyzed' }),
    ]);
  });

  it.each(COMPONENTS.map((component) => [component, COMPONENT_FACTS[component].isRequired ? 1 : 0] as const))(
    'without %s alone the exit status is %i',
    async (component: Component, status) => {
      expect(exitStatusOf(await runDoctor(probesWith({ [component]: missing })))).toBe(status);
    },
  );

  it('needs ffmpeg, voice activity, a backend and weights, and nothing else', () => {
    expect(COMPONENTS.filter((component) => COMPONENT_FACTS[component].isRequired)).toEqual([
      'ffmpeg',
      'vad',
      'backend',
      'weights',
    ]);
  });

  it('reports a probe that throws, at once or later, by code where there is one', async () => {
    const withCode: Probe = async () => {
      throw new UndertoneError('VAD_MISSING', 'no runtime could load it');
    };
    const atOnce: Probe = () => {
      throw new Error('broken binary');
    };
    expect(await reasonOf(withCode)).toBe('VAD_MISSING: no runtime could load it');
    expect(await reasonOf(atOnce)).toBe('broken binary');
    expect(await reasonOf(() => Promise.reject(new AggregateError([], '')))).toBe('the probe failed');
  });

  it('starts all probes before any has answered', async () => {
    let started = 0;
    const meets: Probe = async () => {
      started += 1;
      await vi.waitUntil(() => started === COMPONENTS.length, { interval: 1, timeout: 1_000 });
      return { isFound: true, version: '1', from: 'here' };
    };
    const all = Object.fromEntries(COMPONENTS.map((component) => [component, meets])) as DoctorProbes;
    expect((await runDoctor(all)).components.every(({ finding }) => finding.isFound)).toBe(true);
  });

  it('waits no longer than the limit for a probe that never answers', async () => {
    expect(await reasonOf(() => new Promise(() => undefined), 5)).toBe('no answer within 5 ms');
    expect(PROBE_LIMIT_MS).toBeLessThanOrEqual(10_000);
  });
});

describe('the probe of the recognizers', () => {
  it('has a line for each, what it is fit for or why it is not there', async () => {
    const fake = createFakeRecognizer('fake', undefined, { quality: 'demonstration' });
    const table = {
      fake: async () => fake,
      cloud: async () => createFakeRecognizer('cloud', undefined, { isLocal: false, languages: 'any' }),
      deaf: () => Promise.reject(new Error('not installed')),
    };
    const finding = await createRecognizersProbe(table, {})();
    expect(finding).toMatchObject({
      isFound: true,
      version: 'fake, cloud',
      details: [
        'fake: on this machine, en, low accuracy, for demonstration',
        'cloud: remote, any language, for production',
        'deaf: not installed',
      ],
    });
    await expect(fake.open({ onEvent: () => undefined, onError: () => undefined })).rejects.toThrow(TypeError);
  });

  it('finds none when none can be opened', async () => {
    const finding = await createRecognizersProbe({ deaf: () => Promise.reject(new Error('not installed')) }, {})();
    expect(finding).toEqual({ isFound: false, reason: 'deaf: not installed' });
  });
});

describe('the report of the doctor', () => {
  it('says for people what was found, what is missing, what that costs and what to do', async () => {
    const report = await runDoctor(
      probesWith({
        ffmpeg: missing,
        recognizers: createRecognizersProbe({ deaf: () => Promise.reject(new Error('not installed')) }, {}),
        captions: createBuiltInProbe('0.1.0', 'WebVTT'),
      }),
    );
    const lines = renderDoctor(report, createPaint(1)).split('\n');
    expect(lines[0]).toBe(' ✗ ffmpeg                missing: not there');
    expect(lines[1]?.trim()).toBe('without it: no recording can be opened');
    expect(lines[2]?.trim()).toMatch(/^to get it: run npm ci .*FFMPEG_PATH/);
    expect(lines[3]).toBe(' ✓ voice activity model  1.2.3, from /somewhere');
    expect(lines.join('\n')).toContain('without it: text comes from captions only');
    expect(lines.join('\n')).toContain(' ✓ captions reader       reads WebVTT, from undertone 0.1.0');
    expect(lines.at(-1)).toBe(' Undertone cannot analyze recordings: get what is marked ✗ first.');
  });

  it('ends well when only what is optional is missing, and adds notes', async () => {
    const noted: Probe = async () => ({ isFound: true, version: '4.3', from: 'PATH', note: 'older than 5' });
    const text = renderDoctor(await runDoctor(probesWith({ ffmpeg: noted, faceModel: missing })), createPaint(1));
    expect(text).toContain('4.3, from PATH, older than 5');
    expect(text).toContain(' – face model            missing: not there');
    expect(text.endsWith(' Undertone can analyze recordings.')).toBe(true);
  });

  it('puts details below what was found, one line each, without control characters', async () => {
    const detailed: Probe = async () => ({
      isFound: true,
      version: '1',
      from: 'here',
      details: ['one: no', 'two:\u001b[2J'],
    });
    const lines = renderDoctor(await runDoctor(probesWith({ trainingBackend: detailed })), createPaint(1)).split('\n');
    const at = lines.indexOf(' ✓ training backend      1, from here');
    expect(lines[at + 1]).toBe(`${' '.repeat(25)}one: no`);
    expect(lines[at + 2]).toMatch(/^ {25}two:[^\u001b]*$/);
    expect(lines[at + 3]).toMatch(/^ ✓ emotion weights/);
  });

  it('is one line of JSON with the same content', async () => {
    const report = await runDoctor(probesWith({ weights: missing }));
    expect(doctorJson(report)).not.toContain('\n');
    expect(JSON.parse(doctorJson(report))).toEqual(report);
  });
});
