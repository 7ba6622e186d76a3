import { describe, expect, it } from 'vitest';

import { createBackendProbes } from '../../../src/app/doctor/backends.ts';
import { startTensorBackend } from '../../../src/app/tensorBackend.ts';
import { UndertoneError } from '../../../src/errors.ts';
import type { BackendPurpose, StartedBackend } from '../../../src/model/backend.ts';

const STARTED: Readonly<Record<BackendPurpose, StartedBackend>> = {
  live: { name: 'wasm', version: '4.22.0', skipped: [] },
  training: { name: 'webgpu', version: '4.22.0', skipped: ['tensorflow: not installed (npm i it)'] },
};

describe('the probes of the tensor backends', () => {
  it('say which backend serves conversations, which one training takes, and why not the ones before it.', async () => {
    const { live, training } = createBackendProbes((_, purpose) => Promise.resolve(STARTED[purpose]));
    expect(await live()).toEqual({ isFound: true, version: 'tfjs 4.22.0', from: 'wasm backend' });
    expect(await training()).toEqual({
      isFound: true,
      version: 'tfjs 4.22.0',
      from: 'webgpu backend',
      note: 'not used:',
      details: ['tensorflow: not installed (npm i it)'],
    });
  });

  it('start one backend after the other, the one for conversations once and first, whichever probe is asked first.', async () => {
    const starts: string[] = [];
    const { live, training } = createBackendProbes(async (_, purpose) => {
      starts.push(`${purpose} begins`);
      await Promise.resolve();
      starts.push(`${purpose} ends`);
      return STARTED[purpose];
    });
    await Promise.all([training(), live()]);
    expect(starts).toEqual(['live begins', 'live ends', 'training begins', 'training ends']);
  });

  it('report the one when the other cannot start.', async () => {
    const { live, training } = createBackendProbes(async (_, purpose) => {
      if (purpose === 'live') throw new UndertoneError('NO_BACKEND', 'none');
      return STARTED.training;
    });
    await expect(live()).rejects.toThrow('none');
    expect(await training()).toMatchObject({ from: 'webgpu backend' });
  });

  it('find this machine able to do both, one line for each backend that is not used.', async () => {
    const { live, training } = createBackendProbes(startTensorBackend);
    expect(await live()).toMatchObject({ isFound: true, from: 'wasm backend' });
    const found = await training();
    expect(found.isFound).toBe(true);
    for (const line of (found.isFound && found.details) || []) expect(line).toMatch(/^(tensorflow|webgpu): [^\n]+$/);
  });
});
