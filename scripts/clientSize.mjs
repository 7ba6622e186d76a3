// Fails when the client, or what captures devices, minified and gzipped as a browser loads it, is larger than its limit, or needs
// anything of Node. What reads pictures is loaded when it is used, and not counted.
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const LIMITS = [
  ['undertone/client', 'src/client/connect.ts', 15_000],
  ['undertone/browser', 'src/client/browser/capture.ts', 6_000],
];
for (const [name, entry, limitBytes] of LIMITS) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    outdir: '/',
    write: false,
  });
  const main = entry.split('/').at(-1).replace('.ts', '.js');
  const bytes = gzipSync(outputFiles.find(({ path }) => path === `/${main}`).contents, { level: 9 }).length;
  console.log(`${name}: ${bytes} bytes min+gzip, of ${limitBytes}`);
  if (bytes > limitBytes) process.exitCode = 1;
}
