import { chmodSync } from 'node:fs';
import type { FfmpegBinary } from '../../adapters/media/ffmpeg/findFfmpeg.ts';
import type { MediaFolder } from './mediaFiles.ts';

/** What ffmpeg says of a mono WAV file of 10 s. */
const PROBED = `Input #0, wav, from 'file:NAME':
  Duration: 00:00:10.00, bitrate: 256 kb/s
    Stream #0:0: Audio: pcm_s16le ([1][0][0][0] / 0x0001), 16000 Hz, mono, s16, 256 kb/s
`;

/**
 * A program that answers as ffmpeg does when it is asked what a file holds, and runs `decode` (JavaScript, with `fs`,
 * `note(text)` and `process`) when it is asked to decode. What it notes is in the file `notes`.
 */
export function makeFakeFfmpeg(
  folder: MediaFolder,
  name: string,
  decode: string,
): { binary: FfmpegBinary; notes: string } {
  const notes = folder.write(`${name}.notes`, '');
  const path = folder.write(
    name,
    `#!${process.execPath}
const fs = require('node:fs');
const note = (text) => fs.appendFileSync(${JSON.stringify(notes)}, text + '\\n');
const args = process.argv.slice(2);
if (args[0] === '-version') {
  console.log('ffmpeg version fake-1.0 Copyright');
} else if (!args.includes('pipe:1')) {
  const url = args[args.indexOf('-i') + 1];
  process.stderr.write(${JSON.stringify(PROBED)}.replace('file:NAME', url));
  process.exitCode = 1;
} else {
  note('pid ' + process.pid);
  ${decode}
}
`,
  );
  chmodSync(path, 0o755);
  return { binary: { path, version: 'fake-1.0', source: 'FFMPEG_PATH' }, notes };
}
