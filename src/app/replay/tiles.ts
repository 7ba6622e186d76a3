import type { MediaContents, PictureArea } from '../../adapter.ts';
import { isSpeakerName, type Speaker, speakerFromName } from '../../domain/speaker.ts';
import { UndertoneError } from '../../errors.ts';

/** Where in the picture of a gallery a participant is, as the user said it. */
export type TilesRequest = {
  /** `NAME=x,y,w,h` in pixels, one per participant. */
  readonly tiles?: readonly string[] | undefined;
  /** `2x2` and `NAME,NAME,…`: columns and rows of equal tiles, filled from the top left; an empty name is nobody's. */
  readonly grid?: readonly string[] | undefined;
};

/** The part of a picture that shows one participant. */
export type Tile = { readonly speaker: Speaker; readonly area: PictureArea };

/** The most columns, and rows, of a grid. */
const MAX_SIDE = 8;

/**
 * Returns where each participant is in the pictures of a video; none when the user did not say.
 * @throws UndertoneError BAD_OPTION for what is no tile, lies outside the picture, or names a participant twice
 */
export function toTiles(
  { tiles = [], grid = [] }: TilesRequest,
  video: MediaContents['video'][number],
): readonly Tile[] {
  if (tiles.length > 0 && grid.length > 0) throw refused('--tiles and --grid say the same; give one of them');
  const found = grid.length > 0 ? gridTiles(grid, video) : tiles.map((tile) => parseTile(tile, video));
  if (new Set(found.map(({ speaker }) => speaker.id)).size !== found.length)
    throw refused('--tiles and --grid must name different participants');
  return found;
}

function parseTile(tile: string, { width, height }: MediaContents['video'][number]): Tile {
  const at = tile.lastIndexOf('=');
  const name = tile.slice(0, Math.max(0, at));
  const numbers = tile
    .slice(at + 1)
    .split(',')
    .map(Number);
  const [x = NaN, y = NaN, w = NaN, h = NaN] = numbers;
  if (at < 0 || numbers.length !== 4 || !numbers.every((n) => Number.isSafeInteger(n) && n >= 0) || w === 0 || h === 0)
    throw refused('--tiles must be NAME=x,y,w,h with whole pixels');
  if (x + w > width || y + h > height) throw refused(`a tile lies outside the picture of ${width} × ${height} pixels`);
  return { speaker: toSpeaker(name), area: { x, y, width: w, height: h } };
}

function gridTiles(grid: readonly string[], video: MediaContents['video'][number]): readonly Tile[] {
  const [layout = '', names = '', ...rest] = grid;
  const [, columns = 0, rows = 0] = (/^(\d)x(\d)$/u.exec(layout) ?? []).map(Number);
  const list = names.split(',');
  const isLayout = columns >= 1 && rows >= 1 && columns <= MAX_SIDE && rows <= MAX_SIDE;
  if (!isLayout || names === '' || rest.length > 0 || list.length > columns * rows)
    throw refused('--grid must be like 2x2 NAME,NAME: columns and rows up to 8, and no more names than tiles');
  const width = Math.floor(video.width / columns);
  const height = Math.floor(video.height / rows);
  return list.flatMap((name, i) => {
    const area = { x: (i % columns) * width, y: Math.floor(i / columns) * height, width, height };
    return name.trim() === '' ? [] : [{ speaker: toSpeaker(name), area }];
  });
}

function toSpeaker(name: string): Speaker {
  if (!isSpeakerName(name)) throw refused('--tiles and --grid must have visible names');
  return speakerFromName(name, 'track');
}

function refused(rule: string): UndertoneError {
  return new UndertoneError('BAD_OPTION', rule);
}
