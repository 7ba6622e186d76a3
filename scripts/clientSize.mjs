// Fails when the client, minified and gzipped as a browser loads it, is larger than its limit, or needs anything of Node.
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const LIMIT_BYTES = 15_000;
const { outputFiles } = await build({
  entryPoints: ['src/client/connect.ts'],
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2023',
  write: false,
});
const bytes = gzipSync(outputFiles[0].contents, { level: 9 }).length;
console.log(`undertone/client: ${bytes} bytes min+gzip, of ${LIMIT_BYTES}`);
if (bytes > LIMIT_BYTES) process.exit(1);
