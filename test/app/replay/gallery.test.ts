import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createVision } from '../../../src/app/models/createVision.ts';
import { countSwaps, type Gallery, gridOf, makeAlone, makeGallery, rowsOf } from '../../support/gallery.ts';
import { createMediaFolder } from '../../support/mediaFiles.ts';

const shared = process.env['UNDERTONE_SHARED'];
const folder = createMediaFolder();
const extractor = createVision(join(shared ?? '', 'models'));
afterAll(async () => {
  folder.remove();
  await extractor.close();
});

/** bench/identity.ts does the same for five minutes. */
const GALLERY: Gallery = { seconds: 5, awayMs: 2_000, backMs: 3_500 };

const title =
  shared === undefined
    ? 'skipped: faces need the model in UNDERTONE_SHARED'
    : 'nobody of a gallery is taken for another, while one leaves and comes back';

it.skipIf(shared === undefined)(title, async () => {
  const looking = { extractor, modalities: ['face'] } as const;
  const alone = (['ada', 'ben'] as const).map((name) => makeAlone(folder, name, GALLERY.seconds));
  const inputs = [
    ...gridOf(makeGallery(folder, GALLERY)),
    ...alone.map((path, n) => ({ streamId: `alone${n}`, path })),
  ];
  const [ada = [], ben = [], adaAlone = [], benAlone = []] = await Promise.all(
    inputs.map((input) => rowsOf(input, looking, 'face')),
  );
  expect([ada.length, ben.length]).toEqual([50, 50]);
  expect(countSwaps(ada, adaAlone, benAlone)).toEqual({ swapped: 0, compared: 10 });
  expect(countSwaps(ben, benAlone, adaAlone)).toEqual({ swapped: 0, compared: 7 });
  expect(ben.flatMap((row, n) => (row ? [] : [n]))).toEqual(Array.from({ length: 15 }, (_, n) => 20 + n));
  // What is compared can tell them apart: the other way round, it is the other all the time.
  expect(countSwaps(ada, benAlone, adaAlone)).toEqual({ swapped: 10, compared: 10 });
});
