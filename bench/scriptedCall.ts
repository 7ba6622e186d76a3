import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../src/app/packageRoot.ts';
import { commandLine } from './command.ts';

const Script = z.object({
  utterances: z.array(
    z.object({
      speaker: z.string(),
      emotion: z.string(),
      startMs: z.number(),
      endMs: z.number(),
      isCaptioned: z.boolean(),
    }),
  ),
});
const Final = z.object({
  type: z.literal('utterance'),
  status: z.literal('final'),
  speaker: z.object({ id: z.string() }),
  startMs: z.number(),
  endMs: z.number(),
  label: z.string(),
});

/**
 * Prints how many utterances of the bundled call get the emotion that is scripted for them, by the weights that ship or by
 * those of `--weights FILE`. An insight belongs to the utterance of its speaker that it overlaps most.
 */
export async function benchScriptedCall(weights?: string): Promise<void> {
  const call = join(packageRoot(), 'fixtures', 'call');
  const { utterances } = Script.parse(JSON.parse(await readFile(join(call, 'call.json'), 'utf8')));
  const tracks = ['Ada', 'Ben'].flatMap((name) => ['--track', `${name}=${join(call, `${name.toLowerCase()}.mp4`)}`]);
  const chosen = weights === undefined ? [] : ['--weights', weights];
  const [file, ...args] = commandLine([
    'replay',
    ...tracks,
    '--captions',
    join(call, 'captions.vtt'),
    '--json',
    ...chosen,
  ]);
  const lines = execFileSync(file, args, {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const finals = lines.split('\n').flatMap((line) => {
    const parsed = Final.safeParse(line === '' ? undefined : JSON.parse(line));
    return parsed.success ? [parsed.data] : [];
  });
  const right = utterances.map((scripted) => {
    const overlap = (f: z.infer<typeof Final>): number =>
      f.speaker.id === scripted.speaker ? Math.min(f.endMs, scripted.endMs) - Math.max(f.startMs, scripted.startMs) : 0;
    const best = finals.reduce<z.infer<typeof Final> | undefined>(
      (found, f) => (overlap(f) > Math.max(0, found ? overlap(found) : 0) ? f : found),
      undefined,
    );
    return { isRight: best?.label === scripted.emotion, isCaptioned: scripted.isCaptioned };
  });
  const count = (some: typeof right): string => `${some.filter(({ isRight }) => isRight).length} of ${some.length}`;
  const captioned = right.filter(({ isCaptioned }) => isCaptioned);
  const others = right.filter(({ isCaptioned }) => !isCaptioned);
  console.log(
    `bundled call: ${count(right)} scripted emotions come out right (${count(captioned)} with text, ${count(others)} without)`,
  );
}
