import { describe, expect, it } from 'vitest';
import type { MediaReader, Sighting, VideoFrame, VideoSelection, VisionExtractor } from '../../../src/adapter.ts';
import type { ReplayInputs, VideoInput } from '../../../src/app/replay/inputs.ts';
import { observeRecording } from '../../../src/app/replay/observe.ts';
import { openVision } from '../../../src/app/replay/openVision.ts';
import { seePictures } from '../../../src/app/replay/seePictures.ts';
import type { Observation } from '../../../src/domain/observation.ts';
import { UndertoneError } from '../../../src/errors.ts';
import { rowOf } from '../../support/pictures.ts';
import { ADA, BEN } from '../../support/scriptedCall.ts';
import { fakeReader } from './fakeMedia.ts';

type Eye = VisionExtractor & { readonly opened: string[]; open_: number; looked: number };

/** Sees a face whose first number is the first byte of the picture, and nobody's body. */
function createEye(modalities: VisionExtractor['modalities'] = ['face', 'body']): Eye {
  const eye: Eye = {
    name: 'fake',
    modalities,
    opened: [],
    open_: 0,
    looked: 0,
    open: async (options) => {
      eye.opened.push(options.modalities.join('+'));
      eye.open_ += 1;
      const examine = async (
        picture: Parameters<Awaited<ReturnType<Eye['open']>>['examine']>[0],
      ): Promise<Sighting[]> => {
        const { atMs } = picture;
        if (++eye.looked === 3) options.onFault?.({ code: 'VISION_DOWN', message: 'a worker died' });
        const value = 'rgba' in picture ? (picture.rgba[0] ?? 0) : 0;
        return options.modalities.map((modality) =>
          modality === 'face' ? { modality, atMs, row: rowOf('face', value) } : { modality, atMs, reason: 'no_body' },
        );
      };
      const counts = { looked: 0, skipped: 0, failed: 0 };
      return {
        look: () => undefined,
        examine,
        flush: async () => undefined,
        close: () => void (eye.open_ -= 1),
        counts,
      };
    },
    close: async () => undefined,
  };
  return eye;
}

/** A reader of 10 pictures a second whose first byte counts; it remembers what was asked of it. */
function createFilm(count: number, error?: Error): MediaReader & { readonly asked: VideoSelection[] } {
  const asked: VideoSelection[] = [];
  return {
    ...fakeReader({}),
    asked,
    decodeVideo: async function* (_, selection): AsyncGenerator<VideoFrame> {
      asked.push(selection);
      for (let n = 0; n < count; n++) {
        const { width, height } = selection;
        yield { atMs: n * 100, width, height, pixels: new Uint8Array(4).fill(n) };
      }
      if (error) throw error;
    },
  };
}

const V: VideoInput = { streamId: 'v', path: 'v.mp4', speaker: ADA, size: { width: 1_920, height: 1_080 } };
async function observed(input: VideoInput, film: MediaReader, eye: Eye): Promise<Observation[]> {
  const all: Observation[] = [];
  for await (const { observations } of seePictures(input, film, { extractor: eye, modalities: ['face', 'body'] }))
    all.push(...observations);
  return all;
}

describe('seePictures', () => {
  it('has every picture looked at, in order, and says what was seen when it was shown.', async () => {
    const seen = (await observed(V, createFilm(5), createEye())).filter(({ type }) => type === 'visual');
    expect(seen).toHaveLength(10);
    expect(seen[8]).toEqual({
      type: 'visual',
      arrivalMs: 400,
      streamId: 'v',
      modality: 'face',
      atMs: 400,
      row: rowOf('face', 4),
    });
    expect(seen[9]).toMatchObject({ modality: 'body', atMs: 400, reason: 'no_body' });
  });

  it('asks for 10 pictures a second in their own shape, no larger than 640 × 360, never enlarged, or for a tile.', async () => {
    const asked = async (input: Partial<VideoInput>): Promise<VideoSelection | undefined> => {
      const film = createFilm(1);
      await observed({ streamId: 'v', path: 'v', ...input }, film, createEye());
      return film.asked[0];
    };
    expect(await asked(V)).toEqual({ framesPerSecond: 10, width: 640, height: 360, format: 'rgba' });
    expect(await asked({ size: { width: 1_080, height: 1_920 } })).toMatchObject({ width: 202, height: 360 });
    expect(await asked({ size: { width: 161, height: 91 } })).toMatchObject({ width: 162, height: 92 });
    const area = { x: 640, y: 0, width: 640, height: 480 };
    expect(await asked({ area })).toMatchObject({ width: 480, height: 360, area });
  });

  it('says what failed, with the next picture, and goes on.', async () => {
    const all = await observed(V, createFilm(5), createEye());
    expect(all.filter(({ type }) => type === 'fault')).toEqual([
      { type: 'fault', arrivalMs: 200, streamId: 'v', code: 'VISION_DOWN', message: 'a worker died' },
    ]);
  });

  it('ends with a video that breaks off, throws what is not of the video, and closes its stream in any case.', async () => {
    const eye = createEye();
    const broken = createFilm(2, new UndertoneError('DECODE_ERROR', 'v breaks off'));
    expect(await observed(V, broken, eye)).toHaveLength(4);
    await expect(observed(V, createFilm(2, new Error('a defect')), eye)).rejects.toThrow('a defect');
    for await (const _ of seePictures(V, createFilm(9), { extractor: eye, modalities: ['body'] })) break;
    expect(eye.open_).toBe(0);
  });
});

const INPUTS: ReplayInputs = {
  audio: [],
  video: [V, { streamId: 'w', path: 'w', speaker: BEN }],
  captions: [],
  hasCaptions: false,
  turns: [],
  hasTurns: false,
  durationMs: null,
  notices: [],
};

describe('observeRecording, with somebody who looks,', () => {
  it('looks at the pictures of every participant, for what it is asked for and nothing else.', async () => {
    const eye = createEye();
    const seen: string[] = [];
    const looking = { extractor: eye, modalities: ['body'] as const };
    for await (const { observations } of observeRecording(INPUTS, createFilm(2), undefined, looking))
      for (const one of observations)
        if (one.type === 'visual') seen.push(`${one.arrivalMs} ${one.streamId} ${one.modality}`);
    expect(eye.opened).toEqual(['body', 'body']);
    expect(seen).toEqual(['0 v body', '0 w body', '100 v body', '100 w body']);
  });
});

describe('openVision', () => {
  const eyes = (eye: Eye) => async (): Promise<VisionExtractor> => eye;
  it('opens nothing when it is off or there is nothing to look at.', async () => {
    const never = (): Promise<VisionExtractor> => Promise.reject(new Error('opened'));
    expect((await openVision({ vision: 'off', privacy: 'none' }, INPUTS, {}, never)).looking).toBeUndefined();
    const blind = await openVision({ vision: 'on', privacy: 'none' }, { ...INPUTS, video: [] }, {}, never);
    expect(blind.looking).toBeUndefined();
  });

  it('looks for faces and bodies; in no-face only for bodies, and the face is never asked for.', async () => {
    const eye = createEye();
    const all = await openVision({ vision: 'on', privacy: 'none' }, INPUTS, {}, eyes(eye));
    expect([all.looking?.modalities, all.notices]).toEqual([['face', 'body'], []]);
    const { looking } = await openVision({ vision: 'on', privacy: 'no-face' }, INPUTS, {}, eyes(eye));
    for await (const _ of observeRecording(INPUTS, createFilm(2), undefined, looking));
    expect(eye.opened).toEqual(['body', 'body']);
  });

  it('says aloud that faces are not read, and whose a picture is that shows everybody.', async () => {
    const shared = { ...INPUTS, video: [{ streamId: 'v', path: 'v' }] };
    const { notices, looking } = await openVision(
      { vision: 'on', privacy: 'none' },
      shared,
      {},
      eyes(createEye(['body'])),
    );
    expect(looking?.modalities).toEqual(['body']);
    expect(notices.join(' ')).toMatch(/faces are not read.*whoever speaks/u);
  });
});
