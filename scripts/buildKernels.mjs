// Compiles src/model/kernels/simd/*.as (AssemblyScript; the ending keeps them out of the TypeScript program) and writes
// them as src/model/kernels/wasmModule.ts. `--check` writes nothing and fails when that file is not what would be written.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const folder = new URL('../src/model/kernels/', import.meta.url);
const target = fileURLToPath(new URL('wasmModule.ts', folder));

async function compile() {
  let bytes;
  const { error, stderr } = await asc.main(
    [
      'index.ts',
      '-O3',
      '--noAssert',
      '--runtime',
      'stub',
      '--importMemory',
      '--noExportMemory',
      '--enable',
      'simd',
      '--use',
      'abort=',
      '-o',
      'k.wasm',
    ],
    {
      readFile: (name) => {
        if (!/^[a-z]+\.ts$/.test(name)) return null;
        return readFileSync(new URL(`simd/${name.replace(/ts$/, 'as')}`, folder), 'utf8');
      },
      writeFile: (_name, contents) => {
        bytes = contents;
      },
      listFiles: () => [],
    },
  );
  if (error || !bytes) throw new Error(`the kernels do not compile\n${stderr.toString()}`);
  return bytes;
}

const bytes = await compile();
const text = `/** The compiled kernels of simd/*.as, in base64. Written by \`npm run build:kernels\`; do not edit. */
export const WASM_MODULE: string =
  '${Buffer.from(bytes).toString('base64')}';
`;
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    process.stderr.write('src/model/kernels/wasmModule.ts is not what simd/*.as compile to: npm run build:kernels\n');
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
  process.stderr.write(`${bytes.length} bytes of kernels\n`);
}
