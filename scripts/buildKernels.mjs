// Compiles the simd/*.as of every folder of kernels (AssemblyScript; the ending keeps them out of the TypeScript program) and
// writes them as its wasmModule.ts. `--check` writes nothing and fails when that file is not what would be written.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const FOLDERS = ['src/model/kernels', 'src/features/audio/kernels'];

async function compile(folder) {
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
  if (error || !bytes) throw new Error(`the kernels of ${folder} do not compile\n${stderr.toString()}`);
  return bytes;
}

for (const name of FOLDERS) {
  const folder = new URL(`../${name}/`, import.meta.url);
  const target = fileURLToPath(new URL('wasmModule.ts', folder));
  const bytes = await compile(folder);
  const text = `/** The compiled kernels of simd/*.as, in base64. Written by \`npm run build:kernels\`; do not edit. */
export const WASM_MODULE: string =
  '${Buffer.from(bytes).toString('base64')}';
`;
  if (!process.argv.includes('--check')) {
    writeFileSync(target, text);
    process.stderr.write(`${name}: ${bytes.length} bytes of kernels\n`);
  } else if (readFileSync(target, 'utf8') !== text) {
    process.stderr.write(`${name}/wasmModule.ts is not what simd/*.as compile to: npm run build:kernels\n`);
    process.exit(1);
  }
}
