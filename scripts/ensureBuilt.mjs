// Builds when dist/ is missing or older than a source file, so that `npm start` works however the clone was made.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const built = `${root}dist/.tsbuildinfo`;

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
const stale = !existsSync(built) || sources.some((name) => newest(root + name) > statSync(built).mtimeMs);
if (stale) {
  process.stderr.write('undertone: building (a few seconds, once)\n');
  execFileSync(process.execPath, [`${root}node_modules/typescript/lib/tsc.js`, '-p', `${root}tsconfig.json`], {
    stdio: 'inherit',
  });
}
