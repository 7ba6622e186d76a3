import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createLiveEye, type LiveEye, type Told } from '../../../src/app/serve/liveEye.ts';
import { UndertoneError } from '../../../src/errors.ts';
import { createFakeVision, type FakeVision } from '../../support/fakeVision.ts';

type Scene = { readonly eye: LiveEye; readonly vision: FakeVision; readonly told: () => string[] };

/** An eye for bodies, and what it told since last asked: `<atMs> <reason or "row">`, or the code of a fault. */
function openScene(): Scene {
  const vision = createFakeVision();
  const told: Told[] = [];
  const { extractor } = vision;
  const eye = createLiveEye({ extractor, modalities: ['body'], streamId: 'v', tell: (one) => told.push(one) });
  const line = (one: Told): string =>
    one.type === 'fault' ? one.code : `${one.atMs} ${one.reason ?? (one.row && 'row')}`;
  return { eye, vision, told: () => told.splice(0).map(line) };
}
const picture = (atMs: number) => ({ atMs, jpeg: Uint8Array.of(0xff, 0xd8) });
function show({ eye }: Scene, fromMs: number, toMs: number): void {
  for (let atMs = fromMs; atMs < toMs; atMs += 100) eye.look(picture(atMs));
}

describe('createLiveEye', () => {
  it('takes a place with the first picture, has the newest that came meanwhile looked at, and tells what is seen.', async () => {
    const scene = openScene();
    expect(scene.vision.looks).toEqual([]);
    show(scene, 0, 500);
    await setImmediate();
    const [look] = scene.vision.looks;
    expect(look?.modalities).toEqual(['body']);
    expect(look?.pictures.map(({ atMs }) => atMs)).toEqual([400]);
    scene.eye.look(picture(500));
    look?.see(400);
    look?.see(500, 'no_body');
    expect(scene.told()).toEqual(['400 row', '500 no_body']);
  });

  it('says vision_down of pictures that came while the extractor was being started, overload when it is only slow.', async () => {
    const scene = openScene();
    show(scene, 0, 2_200);
    expect(scene.told()).toEqual(['600 vision_down', '1200 vision_down']);
    await setImmediate();
    scene.vision.looks[0]?.see(2_100);
    show(scene, 2_200, 3_700);
    expect(scene.told()).toEqual(['1800 vision_down', '2100 row', '2700 overload']);
  });

  it('says vision_down again once a thread ended, until something is seen.', async () => {
    const scene = openScene();
    show(scene, 0, 100);
    await setImmediate();
    const [look] = scene.vision.looks;
    look?.see(0);
    look?.fault();
    look?.see(100, 'vision_down');
    show(scene, 100, 1_700);
    look?.see(1_600);
    expect(scene.told()).toEqual([
      '0 row',
      'VISION_DOWN',
      '100 vision_down',
      '700 vision_down',
      '1300 vision_down',
      '1600 row',
    ]);
  });

  it('tells once why it has no place, says so of what it does not see, and tries again after 10 s.', async () => {
    const scene = openScene();
    scene.vision.refuse(new UndertoneError('LIMIT_EXCEEDED', 'more than 64 streams'));
    show(scene, 0, 100);
    await setImmediate();
    show(scene, 100, 1_600);
    expect(scene.told()).toEqual(['LIMIT_EXCEEDED', '600 overload']);
    scene.vision.refuse(new UndertoneError('LIMIT_EXCEEDED', 'more than 64 streams'));
    show(scene, 1_600, 10_100);
    await setImmediate();
    expect(scene.told().every((one) => one.endsWith('overload'))).toBe(true);
    show(scene, 10_100, 20_100);
    await setImmediate();
    expect(scene.vision.looks[0]?.pictures.map(({ atMs }) => atMs)).toEqual([20_000]);
  });

  it('says VISION_DOWN of what is no error of ours, and nothing of what it says.', async () => {
    const scene = openScene();
    scene.vision.refuse(new Error('secret'));
    show(scene, 0, 100);
    await setImmediate();
    expect(scene.told()).toEqual(['VISION_DOWN']);
  });

  it('ends when what is on its way was looked at, also when its place is only being made.', async () => {
    const scene = openScene();
    scene.eye.look(picture(0));
    let hasEnded = false;
    const ended = scene.eye.end().then(() => (hasEnded = true));
    await setImmediate();
    const [look] = scene.vision.looks;
    expect([hasEnded, look?.isClosed, look?.pictures.length]).toEqual([false, false, 1]);
    look?.see(0);
    look?.finish();
    await ended;
    expect([scene.told(), look?.isClosed]).toEqual([['0 row'], true]);
    await openScene().eye.end();
  });

  it('tells nothing more once closed, and gives up a place that is only being made.', async () => {
    const scene = openScene();
    scene.eye.look(picture(0));
    scene.eye.close();
    await setImmediate();
    expect(scene.vision.looks[0]).toMatchObject({ isClosed: true, pictures: [] });
    show(scene, 100, 3_000);
    expect(scene.told()).toEqual([]);
  });
});
