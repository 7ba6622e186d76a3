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
const GALLERY: Gallery = { seconds: 3, awayMs: 1_000, backMs: 2_000 };

const title =
  shared === undefined
    ? 'skipped: faces need the model in UNDERTONE_SHARED'
    : 'nobody of a gallery is taken for another, while one leaves and comes back';

it.skipIf(shared === undefined)(
  title,
  async () => {
    const looking = { extractor, modalities: ['face'] } as const;
    const alone = [makeAlone(folder, 'ada', GALLERY.seconds), makeAlone(folder, 'ben', GALLERY.seconds)] as const;
    const inputs = [
      ...gridOf(makeGallery(folder, alone, GALLERY)),
      ...alone.map((path, n) => ({ streamId: `alone${n}`, path })),
    ];
    const [ada = [], ben = [], adaAlone = [], benAlone = []] = await Promise.all(
      inputs.map((input) => rowsOf(input, looking, 'face')),
    );
    expect([ada.length, ben.length]).toEqual([30, 30]);
    expect(countSwaps(ada, adaAlone, benAlone)).toEqual({ swapped: 0, compared: 6 });
    expect(countSwaps(ben, benAlone, adaAlone)).toEqual({ swapped: 0, compared: 4 });
    expect(ben.flatMap((row, n) => (row ? [] : [n]))).toEqual(Array.from({ length: 10 }, (_, n) => 10 + n));
    // What is compared can tell them apart: the other way round, it is the other all the time.
    expect(countSwaps(ada, benAlone, adaAlone)).toEqual({ swapped: 6, compared: 6 });
  },
  180_000,
);
