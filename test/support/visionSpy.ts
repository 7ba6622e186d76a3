import { Session } from 'node:inspector';
import { text } from 'node:stream/consumers';
import { getHeapSnapshot } from 'node:v8';
import { BroadcastChannel } from 'node:worker_threads';
import { type Point, SPY_CHANNEL, type SpyAnswer, type SpyQuestion } from './visionSpyMessages.ts';

// Spies on the thread that imports it first of all: on what WebAssembly it starts, and what is in memory.

type Memory = { readonly buffer: ArrayBuffer };
type Instantiate = (
  module: object,
  imports: object,
) => Promise<{ readonly exports: Readonly<Record<string, unknown>> }>;
type Globals = {
  readonly WebAssembly: { instantiate: Instantiate; readonly Memory: new (options: object) => Memory };
  planted?: object;
};

const globals = globalThis as unknown as Globals;
const memories: Memory[] = [];
const { instantiate, Memory } = globals.WebAssembly;
globals.WebAssembly.instantiate = async (module, imports) => {
  const instance = await instantiate(module, imports);
  for (const exported of Object.values(instance.exports)) if (exported instanceof Memory) memories.push(exported);
  return instance;
};

const channel = new BroadcastChannel(SPY_CHANNEL);
channel.onmessage = (event) => {
  const { data: question } = event as { data: SpyQuestion & SpyAnswer };
  if ('ask' in question) void answer(question).then((found) => channel.postMessage(found));
};
(channel as unknown as { unref(): void }).unref();

async function answer(question: SpyQuestion): Promise<SpyAnswer> {
  if (question.ask === 'scripts') return { scripts: loadedScripts() };
  if (question.ask === 'memory') return { memories: memories.length, found: countInMemory(question.points) };
  // A snapshot has the numbers of objects, as landmarks are, but not those of the question, which are in typed arrays.
  globals.planted = [...question.planted].map((x) => ({ x }));
  const held = await heldNumbers();
  const count = (numbers: Float64Array): number => numbers.filter((number) => held.has(String(number))).length;
  return { found: count(question.numbers), foundPlanted: count(question.planted) };
}

/** The debugger tells of every script of its thread that is there. */
function loadedScripts(): string[] {
  const session = new Session();
  const scripts: string[] = [];
  session.connect();
  session.on('Debugger.scriptParsed', ({ params }) => scripts.push(params.url));
  session.post('Debugger.enable');
  session.disconnect();
  return scripts;
}

/** How many of the points lie in memory, aligned as floats are: one walk through all of it. */
function countInMemory(points: readonly Point[]): number {
  const wanted = new Map(points.map((point) => bitsOf(point)).map((bits) => [bits[0], bits]));
  const found = new Set<number>();
  for (const { buffer } of memories) {
    const words = new Uint32Array(buffer);
    for (let at = 0; at < words.length; at++) {
      const bits = wanted.get(words[at]);
      if (bits && words[at + 1] === bits[1] && words[at + 2] === bits[2]) found.add(bits[0] ?? 0);
    }
  }
  return found.size;
}

function bitsOf({ x, y, z }: Point): Uint32Array {
  return new Uint32Array(Float32Array.of(x, y, z).buffer);
}

/** A snapshot collects garbage first. */
async function heldNumbers(): Promise<Set<string>> {
  const snapshot = JSON.parse(await text(getHeapSnapshot({ exposeNumericValues: true }))) as { strings: string[] };
  return new Set(snapshot.strings);
}
