import { describe, expect, it } from 'vitest';
import { forbidTelemetry } from '../../src/app/telemetry.ts';

describe('forbidTelemetry', () => {
  it('switches off what onnxruntime would report, and touches nothing else.', () => {
    const env = { HOME: '/home/ada' };
    forbidTelemetry(env);
    expect(env).toEqual({ HOME: '/home/ada', ORT_DISABLE_TELEMETRY: '1' });
  });

  it('keeps what somebody chose.', () => {
    const env = { ORT_DISABLE_TELEMETRY: '0' };
    forbidTelemetry(env);
    expect(env).toEqual({ ORT_DISABLE_TELEMETRY: '0' });
  });
});
