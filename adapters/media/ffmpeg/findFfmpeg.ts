import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { UndertoneError } from '../../../src/errors.ts';

/** Where an ffmpeg binary came from, in the order in which they are tried. */
export const FFMPEG_SOURCES = ['FFMPEG_PATH', 'PATH', '@ffmpeg-installer/ffmpeg'] as const;
/** One place of {@link FFMPEG_SOURCES}. */
export type FfmpegSource = (typeof FFMPEG_SOURCES)[number];

/** An ffmpeg binary that ran and said its version. */
export type FfmpegBinary = { readonly path: string; readonly version: string; readonly source: FfmpegSource };

const HOW_TO_GET_IT =
  'install ffmpeg (for example "apt install ffmpeg"), or set FFMPEG_PATH to its binary, or run npm install with optional dependencies';
const VERSION_TIMEOUT_MS = 10_000;

/**
 * Returns the ffmpeg binary to use: the one `env.FFMPEG_PATH` names, else the first on `env.PATH` that runs, else the one
 * that @ffmpeg-installer/ffmpeg carries. Each candidate is run once with `-version` (some 30 ms). A FFMPEG_PATH that
 * does not run is an error and not passed over, because somebody chose it.
 * @throws UndertoneError FFMPEG_MISSING, saying how to get one.
 */
export function findFfmpeg(env: Readonly<Record<string, string | undefined>>): FfmpegBinary {
  const chosen = env['FFMPEG_PATH'];
  if (chosen !== undefined && chosen !== '') {
    const version = versionOf(chosen);
    if (version !== null) return { path: chosen, version, source: 'FFMPEG_PATH' };
    throw new UndertoneError('FFMPEG_MISSING', `FFMPEG_PATH=${chosen} is not an ffmpeg that runs: ${HOW_TO_GET_IT}`);
  }
  for (const path of candidatesOn(env['PATH'] ?? env['Path'] ?? '')) {
    const version = versionOf(path);
    if (version !== null) return { path, version, source: 'PATH' };
  }
  const installed = installedPath();
  const version = installed === null ? null : versionOf(installed);
  if (installed !== null && version !== null) {
    return { path: installed, version, source: '@ffmpeg-installer/ffmpeg' };
  }
  throw new UndertoneError('FFMPEG_MISSING', `no ffmpeg was found: ${HOW_TO_GET_IT}`);
}

function candidatesOn(searchPath: string): readonly string[] {
  const name = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg';
  return searchPath
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name));
}

/** The path inside the platform package; null where it has none (its index throws a string then). */
function installedPath(): string | null {
  try {
    const installer: unknown = createRequire(import.meta.url)('@ffmpeg-installer/ffmpeg');
    const isPackage = typeof installer === 'object' && installer !== null && 'path' in installer;
    return isPackage && typeof installer.path === 'string' ? installer.path : null;
  } catch {
    return null;
  }
}

function versionOf(path: string): string | null {
  if (!isExecutableFile(path)) return null;
  const { status, stdout } = spawnSync(path, ['-version'], {
    encoding: 'utf8',
    timeout: VERSION_TIMEOUT_MS,
    maxBuffer: 1 << 20,
    stdio: ['ignore', 'pipe', 'ignore'],
    windowsHide: true,
  });
  return status === 0 ? (/^ffmpeg version (\S+)/.exec(stdout)?.[1] ?? null) : null;
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
