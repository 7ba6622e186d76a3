import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { MediaContents, MediaReader, PictureArea, SidecarProblem } from '../../adapter.ts';
import type { PrivacyMode } from '../../domain/modality.ts';
import type { SpeakerTurn, Transcript } from '../../domain/observation.ts';
import { isSpeakerName, type Speaker, speakerFromName } from '../../domain/speaker.ts';
import { UndertoneError } from '../../errors.ts';
import { ADAPTERS } from '../adapters.ts';
import { toTiles, type TilesRequest } from './tiles.ts';

/** What a recorded call is replayed from, as the user said it. */
export type ReplayRequest = TilesRequest & {
  readonly media?: string | undefined;
  /** `NAME=FILE`, one file per participant. */
  readonly tracks: readonly string[];
  /** Names of the channels of `media`, in order. */
  readonly channels: readonly string[];
  readonly captions?: string | undefined;
  readonly rttm?: string | undefined;
  readonly privacy: PrivacyMode;
};

/** Sound that is decoded: a whole file mixed down, or one channel of it. `speaker` is absent when several share it. */
export type AudioInput = {
  readonly streamId: string;
  readonly path: string;
  readonly channel?: number;
  readonly speaker?: Speaker;
  /** The rate of the sound in the file, in Hz. */
  readonly sampleRateHz?: number;
};

/** A picture, or an area of it, that is watched. `speaker` is absent when it shows everybody. `size`: of the whole, in pixels. */
export type VideoInput = {
  readonly streamId: string;
  readonly path: string;
  readonly speaker?: Speaker;
  readonly area?: PictureArea;
  readonly size?: { readonly width: number; readonly height: number };
};

/** A recorded call, opened and checked; nothing is decoded yet. */
export type ReplayInputs = {
  readonly audio: readonly AudioInput[];
  readonly video: readonly VideoInput[];
  readonly captions: readonly Transcript[];
  readonly hasCaptions: boolean;
  readonly turns: readonly SpeakerTurn[];
  readonly hasTurns: boolean;
  /** Length of the longest file, when the containers say. */
  readonly durationMs: number | null;
  /** What to say aloud before beginning: how speakers are known, what of the sidecars was not used. */
  readonly notices: readonly string[];
};

/** Participants that one replay takes. */
export const MAX_PARTICIPANTS = 64;
const MAX_SIDECAR_BYTES = 64 * 1024 * 1024;

/**
 * Opens everything a replay was asked to read and decides how speakers are known: one file per participant, one channel
 * per participant, RTTM, captions with speakers, else unknown.
 * @throws UndertoneError BAD_OPTION, FILE_NOT_FOUND, FILE_EMPTY, NOT_MEDIA, NO_AUDIO, BAD_CHANNELS, BAD_CAPTIONS, BAD_RTTM,
 *   NOTHING_TO_ANALYZE
 */
export async function openInputs(request: ReplayRequest, reader: MediaReader): Promise<ReplayInputs> {
  checkRequest(request);
  const tracks = parseTracks(request.tracks);
  const captions = request.captions === undefined ? undefined : await readCaptions(request.captions);
  const isTextOnly = request.privacy === 'text-only';
  if (isTextOnly && !captions?.transcripts.length)
    throw new UndertoneError('NOTHING_TO_ANALYZE', 'privacy mode text-only needs --captions with at least one cue');
  const media =
    request.media === undefined ? undefined : { path: request.media, contents: await reader.probe(request.media) };
  const probed = await Promise.all(
    tracks.map(async (track) => ({ ...track, contents: await reader.probe(track.path) })),
  );
  const audio = isTextOnly
    ? []
    : [...probed.map(trackAudio), ...(media && probed.length === 0 ? mediaAudio(media, request.channels) : [])];
  const mixed = audio.find((input) => input.speaker === undefined);
  const turns =
    request.rttm === undefined ? undefined : await readTurns(request.rttm, mixed?.streamId ?? 'rttm', media?.path);
  const video = isTextOnly ? [] : [...probed.flatMap(trackVideo), ...(media ? mediaVideo(media, request) : [])];
  const lengths = [...probed, ...(media ? [media] : [])].map(({ contents }) => contents.durationMs);
  return {
    audio,
    video,
    captions: captions?.transcripts ?? [],
    hasCaptions: captions !== undefined,
    turns: mixed ? (turns?.turns ?? []) : [],
    hasTurns: mixed !== undefined && turns !== undefined,
    durationMs:
      lengths.some((length) => length === null) || lengths.length === 0 ? null : Math.max(...(lengths as number[])),
    notices: [
      howSpeakersAreKnown({
        audio,
        hasTurns: mixed !== undefined && turns !== undefined,
        captions: captions?.transcripts,
      }),
      ...(media && probed.length > 0
        ? ['With --track, the sound of the media file itself is not analyzed; its picture is.']
        : []),
      ...problemNotice('captions', captions?.problems),
      ...problemNotice('RTTM', turns?.problems),
    ],
  };
}

function checkRequest({ media, tracks, channels, rttm, tiles = [], grid = [] }: ReplayRequest): void {
  const fail = (rule: string): never => {
    throw new UndertoneError('BAD_OPTION', rule);
  };
  if (media === undefined && tracks.length === 0) fail('give a media file, or --track NAME=FILE for each participant');
  if (media === undefined && (tiles.length > 0 || grid.length > 0))
    fail('--tiles and --grid say where participants are in the picture of a media file; give one');
  if (tracks.length > 0 && channels.length > 0)
    fail('--channels names the channels of one media file; it does not go with --track');
  if (tracks.length > 0 && rttm !== undefined)
    fail('--rttm says who speaks in one mixed file; it does not go with --track');
  if (channels.length > 0 && rttm !== undefined)
    fail('--rttm says who speaks in mixed sound; it does not go with --channels');
  if (Math.max(tracks.length, channels.length) > MAX_PARTICIPANTS) fail(`at most ${MAX_PARTICIPANTS} participants`);
}

function parseTracks(tracks: readonly string[]): { readonly speaker: Speaker; readonly path: string }[] {
  const parsed = tracks.map((track) => {
    const at = track.indexOf('=');
    const name = track.slice(0, Math.max(0, at));
    const path = track.slice(at + 1);
    if (at < 0 || path === '' || !isSpeakerName(name))
      throw new UndertoneError('BAD_OPTION', '--track must be NAME=FILE, with a visible name and a file');
    return { speaker: speakerFromName(name, 'track'), path };
  });
  if (new Set(parsed.map(({ speaker }) => speaker.id)).size !== parsed.length)
    throw new UndertoneError('BAD_OPTION', '--track names must be different; one participant has one file');
  return parsed;
}

type Probed = { readonly path: string; readonly contents: MediaContents };
type ProbedTrack = Probed & { readonly speaker: Speaker };

function trackAudio({ path, contents, speaker }: ProbedTrack): AudioInput {
  requireAudio(path, contents);
  return { streamId: `audio:${speaker.id}`, path, speaker, ...rateOf(contents) };
}

function trackVideo({ path, contents, speaker }: ProbedTrack): VideoInput[] {
  const [size] = contents.video;
  return size ? [{ streamId: `video:${speaker.id}`, path, speaker, size: sizeOf(size) }] : [];
}

function mediaVideo({ path, contents }: Probed, request: TilesRequest): VideoInput[] {
  const [video] = contents.video;
  if (!video) return [];
  const tiles = toTiles(request, video);
  if (tiles.length === 0) return [{ streamId: 'video', path, size: sizeOf(video) }];
  return tiles.map(({ speaker, area }) => ({ streamId: `tile:${speaker.id}`, path, speaker, area }));
}

function sizeOf({ width, height }: MediaContents['video'][number]): {
  readonly width: number;
  readonly height: number;
} {
  return { width, height };
}

function mediaAudio({ path, contents }: Probed, channels: readonly string[]): AudioInput[] {
  requireAudio(path, contents);
  if (channels.length === 0) return [{ streamId: 'audio', path, ...rateOf(contents) }];
  const found = contents.audio[0]?.channels ?? 0;
  if (found !== channels.length)
    throw new UndertoneError(
      'BAD_CHANNELS',
      `${basename(path)} has ${found} audio channel(s), --channels names ${channels.length}`,
    );
  if (!channels.every(isSpeakerName))
    throw new UndertoneError('BAD_OPTION', '--channels must be visible names, separated by commas');
  const speakers = channels.map((name) => speakerFromName(name, 'channel'));
  if (new Set(speakers.map(({ id }) => id)).size !== speakers.length)
    throw new UndertoneError('BAD_OPTION', '--channels must name different participants');
  return speakers.map((speaker, channel) => ({
    streamId: `audio:${speaker.id}`,
    path,
    channel,
    speaker,
    ...rateOf(contents),
  }));
}

function rateOf({ audio }: MediaContents): Pick<AudioInput, 'sampleRateHz'> {
  const rateHz = audio[0]?.sampleRateHz;
  return rateHz === undefined ? {} : { sampleRateHz: rateHz };
}

function requireAudio(path: string, contents: MediaContents): void {
  if (contents.audio.length === 0) throw new UndertoneError('NO_AUDIO', `${basename(path)} has no audio stream`);
}

async function readCaptions(path: string): ReturnType<typeof ADAPTERS.captions> {
  return ADAPTERS.captions(await readSidecar(path), 'captions');
}

async function readTurns(path: string, streamId: string, media: string | undefined): ReturnType<typeof ADAPTERS.turns> {
  return ADAPTERS.turns(await readSidecar(path), streamId, media === undefined ? undefined : basename(media));
}

async function readSidecar(path: string): Promise<Uint8Array> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw new UndertoneError('FILE_NOT_FOUND', `${path}: no such file`);
  if (found.size > MAX_SIDECAR_BYTES)
    throw new UndertoneError('LIMIT_EXCEEDED', `${path} is larger than ${MAX_SIDECAR_BYTES} bytes`);
  return readFile(path).catch((cause: unknown) => {
    throw new UndertoneError('FILE_NOT_FOUND', `${path} cannot be read`, { cause });
  });
}

type Known = { audio: readonly AudioInput[]; hasTurns: boolean; captions: readonly Transcript[] | undefined };

function howSpeakersAreKnown({ audio, hasTurns, captions }: Known): string {
  const source = audio[0]?.speaker?.source;
  if (source === 'track') return 'Speakers are known from one file per participant.';
  if (source === 'channel') return 'Speakers are known from one channel per participant.';
  if (hasTurns) return 'Speakers are known from the RTTM file.';
  if (captions?.some((cue) => cue.speaker))
    return 'Speakers are known from the captions; speech without a caption is "unknown".';
  return 'Who speaks is not known: the speaker is "unknown". Give --track, --channels, --rttm or captions with speakers.';
}

function problemNotice(what: string, problems: readonly SidecarProblem[] = []): string[] {
  if (problems.length === 0) return [];
  const some = problems.slice(0, 3).map(({ line, rule }) => `line ${line}: ${rule}`);
  return [`${problems.length} problem(s) in the ${what} file: ${some.join('; ')}${problems.length > 3 ? '; …' : ''}.`];
}
