import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findFfmpeg } from '../../adapters/media/ffmpeg/findFfmpeg.ts';
import { ADAPTERS } from '../../src/app/adapters.ts';
import { createLiveAnalysis } from '../../src/app/serve/analyzeLive.ts';
import { openPage } from '../../src/app/serve/openPage.ts';
import { startTensorBackend } from '../../src/app/tensorBackend.ts';
import { loadWeights } from '../../src/app/weights.ts';
import { DEFAULT_SERVER_CONFIG } from '../../src/config.ts';
import { createEmotionModel } from '../../src/model/conversation.ts';
import type { LiveServer } from '../../src/server/liveServer.ts';
import { startTestServer } from './liveServer.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ADA = join(ROOT, 'fixtures/call/ada.mp4');

function run(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
}

/** Makes what Chromium takes for a microphone and a camera of Ada's part of the bundled call; returns its options. */
export function pretendToBeAda(folder: string): readonly string[] {
  const { path: ffmpeg } = findFfmpeg(process.env);
  const [sound, pictures] = [join(folder, 'ada.wav'), join(folder, 'ada.mjpeg')];
  const input = ['-y', '-loglevel', 'error', '-i', ADA];
  run(ffmpeg, [...input, '-ac', '1', '-ar', '48000', sound]);
  run(ffmpeg, [...input, '-an', '-c:v', 'mjpeg', '-q:v', '3', pictures]);
  return [
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    `--use-file-for-fake-audio-capture=${sound}`,
    `--use-file-for-fake-video-capture=${pictures}`,
  ];
}

/** Starts what `undertone serve` starts, with the page built into `folder` and the models of another folder. */
export async function servePage(folder: string, models: string): Promise<LiveServer> {
  run(process.execPath, ['scripts/buildPage.mjs', folder]);
  const page = await openPage(DEFAULT_SERVER_CONFIG, { UNDERTONE_MODELS: models }, folder);
  const [{ name: backend }, weights, vad] = await Promise.all([startTensorBackend(), loadWeights(), ADAPTERS.vad()]);
  const model = createEmotionModel(weights);
  const analyze = createLiveAnalysis({ vad, model, weights: weights.provenance.name, backend, privacy: 'none' });
  return startTestServer({}, { analyze, maxAheadMs: 15_000, ...(page && { page }) });
}
