import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { KoffiFunc } from 'koffi';
import { UndertoneError } from '../../../src/errors.ts';
import type { Segment } from './toFinal.ts';

/** Where the model is looked for, and what the two libraries are called. */
export type PocketsphinxPlace = { readonly modelFolder: string; readonly libraries: readonly [string, string] };

/** Where Debian's packages put them. */
export const DEBIAN_PLACE: PocketsphinxPlace = {
  modelFolder: '/usr/share/pocketsphinx/model/en-us',
  libraries: ['libsphinxbase.so.3', 'libpocketsphinx.so.3'],
};

/** One decoder. Calls must not overlap; `process`, `finish` and `free` run on a thread of their own. */
export type Decoder = {
  start(): Promise<void>;
  process(samples: Int16Array): Promise<void>;
  /** What has been heard of the current speech; empty for nothing. */
  hypothesis(): string;
  /** Ends the current speech and returns its segments, the first of which begins where the speech was started. */
  finish(): Promise<readonly Segment[]>;
  free(): Promise<void>;
};

/** Makes decoders; each holds about 90 MB of its own. */
export type Pocketsphinx = { createDecoder(): Promise<Decoder> };

const HOW_TO_GET = 'on Debian or Ubuntu: apt-get install libpocketsphinx3 pocketsphinx-en-us';
const PARTS = { hmm: 'en-us', lm: 'en-us.lm.bin', dict: 'cmudict-en-us.dict' };

/**
 * Loads the libraries through koffi, both only now.
 * @throws UndertoneError RECOGNIZER_MISSING, naming what to install
 */
export async function loadPocketsphinx({ modelFolder, libraries }: PocketsphinxPlace): Promise<Pocketsphinx> {
  for (const part of Object.values(PARTS)) {
    if (!existsSync(join(modelFolder, part))) throw missing(`its model (${part}) is not in ${modelFolder}`);
  }
  const native = await bind(libraries).catch((cause: unknown) => {
    throw missing('its libraries or the package koffi cannot be loaded', cause);
  });
  return {
    createDecoder: async () => {
      const config: unknown = native.parse(null, native.args(), ...toArguments(modelFolder));
      if (config === null) throw new UndertoneError('RECOGNIZER_FAILED', 'pocketsphinx refuses its settings');
      const handle = await inThread(native.init, config);
      native.freeConfig(config);
      if (handle === null) throw new UndertoneError('RECOGNIZER_FAILED', 'pocketsphinx cannot start a decoder');
      return createDecoder(native, handle);
    },
  };
}

type Native = Awaited<ReturnType<typeof bind>>;

/** The C interface of PocketSphinx 5prealpha (`pocketsphinx.h`, `ps_seg` and `cmd_ln.h`), pointers opaque. */
async function bind([base, main]: PocketsphinxPlace['libraries']) {
  const koffi = (await import('koffi')).default;
  const sphinxbase = koffi.load(base);
  const sphinx = koffi.load(main);
  // Messages would go to standard error, also those that quote what was recognized.
  sphinxbase.func('void err_set_callback(void *callback, void *user)')(null, null);
  return {
    parse: sphinxbase.func('void *cmd_ln_parse_r(void *old, void *args, int n, const char **argv, int strict)'),
    freeConfig: sphinxbase.func('int cmd_ln_free_r(void *config)'),
    args: sphinx.func('void *ps_args()'),
    init: sphinx.func('void *ps_init(void *config)'),
    free: sphinx.func('int ps_free(void *decoder)'),
    start: sphinx.func('int ps_start_utt(void *decoder)'),
    end: sphinx.func('int ps_end_utt(void *decoder)'),
    process: sphinx.func('int ps_process_raw(void *decoder, const int16_t *data, size_t n, int noSearch, int full)'),
    hypothesis: sphinx.func('const char *ps_get_hyp(void *decoder, _Out_ int *score)'),
    // Older versions have a second parameter, newer ones ignore it.
    firstSegment: sphinx.func('void *ps_seg_iter(void *decoder, void *score)'),
    nextSegment: sphinx.func('void *ps_seg_next(void *segment)'),
    word: sphinx.func('const char *ps_seg_word(void *segment)'),
    frames: sphinx.func('void ps_seg_frames(void *segment, _Out_ int *first, _Out_ int *last)'),
  };
}

function createDecoder(native: Native, handle: unknown): Decoder {
  const check = (status: unknown, step: string): void => {
    if (typeof status !== 'number' || status < 0)
      throw new UndertoneError('RECOGNIZER_FAILED', `pocketsphinx fails to ${step}`);
  };
  return {
    start: async () => check(await inThread(native.start, handle), 'start'),
    process: async (samples) =>
      check(await inThread(native.process, handle, samples, samples.length, 0, 0), 'process sound'),
    hypothesis: () => String(native.hypothesis(handle, [0]) ?? ''),
    finish: async () => {
      check(await inThread(native.end, handle), 'end');
      const segments: Segment[] = [];
      for (let at: unknown = native.firstSegment(handle, null); at !== null; at = native.nextSegment(at)) {
        const [first, last] = [[0], [0]];
        native.frames(at, first, last);
        segments.push({ word: String(native.word(at)), first: first[0] ?? 0, last: last[0] ?? 0 });
      }
      return segments;
    },
    free: async () => void (await inThread(native.free, handle)),
  };
}

/**
 * `-fwdflat no -bestpath no`: one pass only, so that a final needs no second look at the speech. `-remove_silence no`:
 * frames then stay in step with the sound, and voice activity is decided elsewhere. `-maxhmmpf`, `-wbeam`: breath and noise
 * before the first word keep 30,000 states alive unless told otherwise, which takes twice as long as the sound lasts. With these
 * a call costs a quarter less, and as many words are wrong: in two recordings and the bundled call, by which they were chosen.
 * What it logs goes nowhere.
 */
function toArguments(modelFolder: string): readonly [number, readonly string[], number] {
  const model = Object.entries(PARTS).flatMap(([name, file]) => [`-${name}`, join(modelFolder, file)]);
  const search = ['-fwdflat', 'no', '-bestpath', 'no', '-maxhmmpf', '10000', '-wbeam', '1e-16'];
  const settings = [...search, '-remove_silence', 'no', '-logfn', '/dev/null'];
  const all = [...model, ...settings];
  return [all.length, all, 0];
}

/** Calls a function on a thread of the pool of libuv, where it blocks nobody. What it is given stays alive meanwhile. */
function inThread(call: KoffiFunc<(...given: unknown[]) => unknown>, ...given: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    call.async(...given, (error: unknown, result: unknown) => {
      if (error) reject(new UndertoneError('RECOGNIZER_FAILED', 'a call into pocketsphinx failed', { cause: error }));
      else resolve(given.length > 0 ? result : undefined);
    });
  });
}

function missing(what: string, cause?: unknown): UndertoneError {
  return new UndertoneError('RECOGNIZER_MISSING', `pocketsphinx: ${what}; ${HOW_TO_GET}`, { cause });
}
