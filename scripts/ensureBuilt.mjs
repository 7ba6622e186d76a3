// Builds when dist/ is missing or older than a source file, so that `npm start` works however the clone was made.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const mark = `${root}dist/.tsbuildinfo`;

function newest(folder) {
  let time = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) time = Math.max(time, newest(path));
    else if (entry.name.endsWith('.ts')) time = Math.max(time, statSync(path).mtimeMs);
  }
  return time;
}

const sources = ['src', 'pipelines', 'adapters', 'bench', 'test', 'fixtures'].filter((name) => existsSync(root + name));
const stale = !existsSync(mark) || sources.some((name) => newest(root + name) > statSync(mark).mtimeMs);
if (stale) {
  process.stderr.write('undertone: building (a few seconds, once)\n');
  const compiler = `${root}node_modules/typescript/lib/tsc.js`;
  const built = ['.', 'src/client/browser'].map((project) =>
    spawnSync(process.execPath, [compiler, '-p', root + project], { encoding: 'utf8' }),
  );
  built.push(spawnSync(process.execPath, [`${root}scripts/buildPage.mjs`], { encoding: 'utf8' }));
  // A type error in a test does not keep anyone from running the program; `npm run check` is where it fails.
  if (built.some(({ status }) => status !== 0))
    process.stderr.write(`undertone: the build reported problems; npm run check says which\n`);
  if (!existsSync(`${root}dist/src/app/main.js`)) {
    process.stderr.write(built.map(({ stdout }) => stdout).join(''));
    process.exit(1);
  }
}
