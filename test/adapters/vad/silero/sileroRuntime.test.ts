import { afterEach, describe, expect, it, vi } from 'vitest';
import { createSileroDetector } from '../../../../adapters/vad/silero/createSileroDetector.ts';
import { loadSileroRuntime } from '../../../../adapters/vad/silero/sileroRuntime.ts';
import { voiceLike } from '../../../contracts/voiceActivityDetector.ts';

const fail = (name: string): void => {
  vi.doMock(name, () => {
    throw new Error('no binary for this platform');
  });
};

afterEach(() => {
  vi.doUnmock('onnxruntime-node');
  vi.doUnmock('onnxruntime-web');
  vi.resetModules();
  vi.unstubAllEnvs();
});

describe('loadSileroRuntime', () => {
  it('takes the native runtime first', async () => {
    const runtime = await loadSileroRuntime();
    expect(runtime.name).toBe('onnxruntime-node');
    expect([...runtime.session.inputNames].sort()).toEqual(['cell', 'halves', 'hidden']);
    await runtime.session.release();
  });

  it('takes WebAssembly where the native binary does not load, and it detects', async () => {
    fail('onnxruntime-node');
    const detector = await createSileroDetector();
    expect(detector.runtime).toBe('onnxruntime-web');
    const probabilities = await detector.open().process(voiceLike(0.5));
    expect(probabilities).toHaveLength(15);
    expect(Math.max(...probabilities)).toBeGreaterThan(0);
    await detector.close();
  });

  it('says VAD_MISSING, what was tried and why each failed, where neither loads', async () => {
    fail('onnxruntime-node');
    fail('onnxruntime-web');
    const error: unknown = await loadSileroRuntime().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'VAD_MISSING' });
    expect((error as Error).message).toContain('onnxruntime-node, onnxruntime-web');
    expect(((error as Error).cause as AggregateError).errors).toHaveLength(2);
  });

  it.each([
    ['forbids telemetry before the native runtime is loaded', undefined, '1'],
    ['keeps what somebody chose about telemetry', '0', '0'],
  ])('%s', async (_, chosen, seen) => {
    vi.stubEnv('ORT_DISABLE_TELEMETRY', chosen);
    let atLoading: string | undefined;
    vi.doMock('onnxruntime-node', () => {
      atLoading = process.env['ORT_DISABLE_TELEMETRY'];
      throw new Error('no binary for this platform');
    });
    await expect(loadSileroRuntime(['onnxruntime-node'])).rejects.toMatchObject({ code: 'VAD_MISSING' });
    expect(atLoading).toBe(seen);
  });
});
