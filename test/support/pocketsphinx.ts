import { existsSync } from 'node:fs';

/** Whether PocketSphinx and its model are installed; where they must be (UNDERTONE_POCKETSPHINX=required), never false. */
export function hasPocketsphinx(): boolean {
  if (process.env['UNDERTONE_POCKETSPHINX'] === 'required') return true;
  const isThere = existsSync('/usr/share/pocketsphinx/model/en-us/en-us.lm.bin');
  if (!isThere) console.log('skipped: apt-get install libpocketsphinx3 pocketsphinx-en-us');
  return isThere;
}
