import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFfmpegReader } from '../../../../adapters/media/ffmpeg/createFfmpegReader.ts';
import { createPocketsphinxRecognizer } from '../../../../adapters/asr/pocketsphinx/createPocketsphinxRecognizer.ts';
import { DEBIAN_PLACE } from '../../../../adapters/asr/pocketsphinx/library.ts';
import { packageRoot } from '../../../../src/app/packageRoot.ts';
import { describeRecognizer, listenTo, writeAll } from '../../../contracts/recognizer.ts';
import { hasPocketsphinx } from '../../../support/pocketsphinx.ts';

/** A sentence of the bundled call: a synthetic voice, from 7 s to 8.8 s. */
async function speech(): Promise<Float32Array> {
  const samples: number[] = [];
  for await (const block of createFfmpegReader().decodeAudio(join(packageRoot(), 'fixtures/call/ada.mp4'))) {
    samples.push(...block.samples);
    if (samples.length >= 160_000) break;
  }
  return Float32Array.from(samples.slice(112_000, 140_800));
}

if (hasPocketsphinx()) {
  describeRecognizer('pocketsphinx', { create: () => createPocketsphinxRecognizer(), speech });

  /** A start takes a third of a second: 100 of them where this test must run, which is in CI. */
  const cycles = process.env['UNDERTONE_POCKETSPHINX'] === 'required' ? 100 : 10;

  describe('createPocketsphinxRecognizer', () => {
    it('opens and closes streams, 100 in CI, without growing', async () => {
      const recognizer = await createPocketsphinxRecognizer();
      const block = (await speech()).subarray(0, 1_600);
      const cycle = async (): Promise<void> => {
        const { stream, heard } = await listenTo(recognizer);
        await stream.write(block);
        await stream.end();
        stream.close();
        expect(heard.errors).toEqual([]);
      };
      // What grows at first is the heap of the process, which differs between versions of Node; a leak goes on growing.
      for (let warm = 0; warm < cycles / 2; warm++) await cycle();
      const before = process.memoryUsage.rss();
      for (let count = 0; count < cycles / 2; count++) await cycle();
      await recognizer.close();
      const grownMb = (process.memoryUsage.rss() - before) / 1e6;
      console.log(
        `pocketsphinx, ${cycles} streams opened and closed, the second half: ${grownMb.toFixed(0)} MB more than before`,
      );
      expect(grownMb).toBeLessThan(100);
    }, 600_000);

    it('hears the same on a stream that was kept ready, and keeps none ready once closed', async () => {
      const [kept, plain] = await Promise.all([
        createPocketsphinxRecognizer(DEBIAN_PLACE, 1),
        createPocketsphinxRecognizer(),
      ]);
      await kept.keepReady?.(50);
      const sound = await speech();
      const found: string[][] = [];
      for (const recognizer of [kept, plain]) {
        const { stream, heard } = await listenTo(recognizer);
        await writeAll(stream, sound);
        await stream.end();
        found.push(heard.finals().map(({ text }) => text));
        await recognizer.close();
      }
      expect(found[0]?.length).toBeGreaterThan(0);
      expect(found[0]).toEqual(found[1]);
      await kept.keepReady?.(1);
    }, 120_000);

    it('refuses more streams than it can hold, and takes one more when one was closed', async () => {
      const recognizer = await createPocketsphinxRecognizer(DEBIAN_PLACE, 2);
      const open = await Promise.all([listenTo(recognizer), listenTo(recognizer)]);
      await expect(listenTo(recognizer)).rejects.toMatchObject({ code: 'RECOGNIZER_FAILED' });
      open[0]?.stream.close();
      const { stream, heard } = await listenTo(recognizer);
      await writeAll(stream, new Float32Array(1_600));
      await stream.end();
      expect(heard.errors).toEqual([]);
      await recognizer.close();
    }, 120_000);
  });
}

describe('createPocketsphinxRecognizer where it is not installed', () => {
  it('names the packages when the model is not there', async () => {
    const place = { ...DEBIAN_PLACE, modelFolder: join(packageRoot(), 'fixtures/nothing') };
    await expect(createPocketsphinxRecognizer(place)).rejects.toMatchObject({
      code: 'RECOGNIZER_MISSING',
      message: expect.stringContaining('apt-get install libpocketsphinx3 pocketsphinx-en-us') as string,
    });
  });

  it.skipIf(!hasPocketsphinx())('says so when the libraries are not there', async () => {
    const place = { ...DEBIAN_PLACE, libraries: ['libsphinxbase.so.3', 'libnothing.so.3'] as const };
    await expect(createPocketsphinxRecognizer(place)).rejects.toMatchObject({ code: 'RECOGNIZER_MISSING' });
  });
});
