import type { Recognizer, RecognizerCapabilities } from '../../../src/adapter.ts';
import { UndertoneError } from '../../../src/errors.ts';
import { DEBIAN_PLACE, loadPocketsphinx, type PocketsphinxPlace } from './library.ts';
import { openStream, type PocketsphinxStream, type Told } from './openStream.ts';
import { createSpareDecoders } from './spareDecoders.ts';
import { createTurnstile, decodersAtOnce } from './turnstile.ts';

/** Low accuracy, for demonstration; wide-band English only: at 8 kHz it gets two words in three wrong. */
const POCKETSPHINX_CAPABILITIES: RecognizerCapabilities = {
  interim: true,
  wordTimes: true,
  diarization: false,
  languages: ['en'],
  sampleRatesHz: [16_000, 22_050, 24_000, 32_000, 44_100, 48_000],
  isLocal: true,
  quality: 'demonstration',
};
/** Streams that one recognizer holds at the same time. */
const MAX_POCKETSPHINX_STREAMS = 32;

/**
 * Returns a recognizer that runs PocketSphinx and its US English model as Debian ships them (BSD licence). Every stream has
 * a decoder of its own, so what it hears depends on its own sound alone. Decoders run in threads of libuv's pool, at most half of
 * them at a time, streams in turn. A decoder takes a quarter of a second of a core to make, and 90 MB; those that are kept
 * ready are no less new than others.
 * @throws UndertoneError RECOGNIZER_MISSING, naming the packages to install
 */
export async function createPocketsphinxRecognizer(
  place: PocketsphinxPlace = DEBIAN_PLACE,
  maxStreams: number = MAX_POCKETSPHINX_STREAMS,
): Promise<Recognizer> {
  const library = await loadPocketsphinx(place);
  const turnstile = createTurnstile(decodersAtOnce(process.env['UV_THREADPOOL_SIZE']));
  const spares = createSpareDecoders(() => turnstile(() => library.createDecoder()));
  const room = createRoom(maxStreams);
  let isClosed = false;
  const requireOpen = (): void => {
    if (isClosed) throw new TypeError('open: the recognizer is closed');
  };
  const open = async (told: Told): Promise<PocketsphinxStream> => {
    const decoder = await spares.take();
    if (isClosed) await decoder.free();
    requireOpen();
    return openStream(decoder, turnstile, told);
  };
  return {
    name: 'pocketsphinx',
    capabilities: { ...POCKETSPHINX_CAPABILITIES, maxStreams },
    open: async (options) => {
      requireOpen();
      return room.add(() => open(options));
    },
    keepReady: async (wanted) => {
      if (!isClosed) await spares.keep(Math.min(wanted, maxStreams));
    },
    close: async () => {
      isClosed = true;
      await Promise.all([spares.close(), room.clear()]);
    },
  };
}

type Room = {
  /** Opens one more stream. @throws UndertoneError RECOGNIZER_FAILED when there is no room for it */
  add(open: () => Promise<PocketsphinxStream>): Promise<PocketsphinxStream>;
  /** Closes all streams; resolves when their decoders are freed. */
  clear(): Promise<void>;
};

/** Room for so many streams, those that are being opened included. */
function createRoom(maxStreams: number): Room {
  const streams = new Set<PocketsphinxStream>();
  let opening = 0;
  return {
    add: async (open) => {
      if ([...streams].filter((stream) => !stream.isClosed).length + opening >= maxStreams)
        throw new UndertoneError('RECOGNIZER_FAILED', `pocketsphinx takes at most ${maxStreams} streams`);
      opening += 1;
      try {
        const stream = await open();
        streams.add(stream);
        void stream.freed.then(() => streams.delete(stream));
        return stream;
      } finally {
        opening -= 1;
      }
    },
    clear: async () => {
      const open = [...streams];
      for (const stream of open) stream.close();
      await Promise.all(open.map(({ freed }) => freed));
    },
  };
}
