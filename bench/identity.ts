import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createVision } from '../src/app/models/createVision.ts';
import { modelsFolder } from '../src/app/models/modelStore.ts';
import { countSwaps, gridOf, makeAlone, makeGallery, rowsOf } from '../test/support/gallery.ts';
import { createMediaFolder } from '../test/support/mediaFiles.ts';

const SECONDS = Number(process.argv[2] ?? 300);

/**
 * Looks at a gallery of two people for five minutes, of which one leaves for a fifth of the time and comes back, and prints
 * how often one was taken for the other: `npx tsx bench/identity.ts [seconds]`.
 */
async function benchIdentity(): Promise<void> {
  const shared = process.env['UNDERTONE_SHARED'];
  const own = modelsFolder(process.env);
  const folderOfModels = existsSync(join(own, 'face_landmarker.task')) || !shared ? own : join(shared, 'models');
  const vision = createVision(folderOfModels, { threads: availableParallelism() });
  const modality = vision.modalities.includes('face') ? 'face' : 'body';
  const looking = { extractor: vision, modalities: [modality] } as const;
  const folder = createMediaFolder();
  try {
    const [awayMs, backMs] = [SECONDS * 400, SECONDS * 600];
    const alone = [makeAlone(folder, 'ada', SECONDS), makeAlone(folder, 'ben', SECONDS)] as const;
    const gallery = gridOf(makeGallery(folder, alone, { seconds: SECONDS, awayMs, backMs }));
    const inputs = [...gallery, ...alone.map((path, n) => ({ streamId: `alone${n}`, path }))];
    const [ada = [], ben = [], adaAlone = [], benAlone = []] = await Promise.all(
      inputs.map((input) => rowsOf(input, looking, modality)),
    );
    const gone = ben.slice(awayMs / 100, backMs / 100);
    const [ofAda, ofBen] = [countSwaps(ada, adaAlone, benAlone), countSwaps(ben, benAlone, adaAlone)];
    console.log(
      `gallery of ${SECONDS} s, ${modality}: Ada taken for Ben in ${ofAda.swapped} of ${ofAda.compared} half seconds, ` +
        `Ben for Ada in ${ofBen.swapped} of ${ofBen.compared}; somebody seen in ${gone.filter((row) => row).length} ` +
        `of the ${gone.length} pictures that Ben is away`,
    );
  } finally {
    folder.remove();
    await vision.close();
  }
}

await benchIdentity();
