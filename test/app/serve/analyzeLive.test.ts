import { setImmediate } from 'node:timers/promises';
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { createLiveAnalysis } from '../../../src/app/serve/analyzeLive.ts';
import type { VoiceActivityDetector } from '../../../src/adapter.ts';
import type { Insight } from '../../../src/domain/insight.ts';
import type { EmotionModel } from '../../../src/model/conversation.ts';
import type { SourceEvent } from '../../../src/server/ingest/sourceEvent.ts';
import { createFakeModel } from '../../support/fakeModel.ts';
import { createFakeVision } from '../../support/fakeVision.ts';
import { ADA } from '../../support/scriptedCall.ts';

const DEAF: VoiceActivityDetector = {
  name: 'none',
  open: () => {
    throw new Error('there is no sound to listen to');
  },
  close: async () => undefined,
};

describe('a live call of pictures alone', () => {
  it('says when a face comes into sight though no sound tells the time, and counts every picture as taken', async () => {
    const vision = createFakeVision();
    const looking = { extractor: vision.extractor, modalities: ['face', 'body'] as const };
    const model = { open: () => createFakeModel({ inputs: ['face', 'body'] }) } as unknown as EmotionModel;
    const parts = { vad: DEAF, model, weights: 'fake', backend: 'none', privacy: 'none' } as const;
    const events$ = new Subject<SourceEvent>();
    const insights: Insight[] = [];
    let taken = 0;
    createLiveAnalysis({ ...parts, looking })(events$, () => taken++).subscribe((insight) => insights.push(insight));
    events$.next({ type: 'streamOpened', arrivalMs: 0, streamId: 'camera', kind: 'video', speaker: ADA });
    for (let atMs = 0; atMs <= 4_000; atMs += 100) {
      events$.next({ type: 'picture', arrivalMs: atMs, streamId: 'camera', atMs, jpeg: Uint8Array.of(0xff, 0xd8) });
      await setImmediate();
      if (atMs >= 2_000) vision.looks[0]?.see(atMs);
    }
    const faces = insights.flatMap((one) => (one.type === 'modality' && one.modality === 'face' ? [one] : []));
    expect(faces.map(({ state, reason }) => reason ?? state)).toEqual(['vision_down', 'present']);
    expect(faces[1]?.atMs).toBeGreaterThanOrEqual(2_000);
    expect(faces[1]?.atMs).toBeLessThanOrEqual(3_000);
    expect(taken).toBe(42);
  });
});
