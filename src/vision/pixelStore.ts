/** Pixels as tasks-vision takes them: RGBA, from the top left. */
export type Pixels = { readonly width: number; readonly height: number; readonly data: Uint8ClampedArray };

/** The part of a canvas that tasks-vision asks for. */
export type PixelStoreCanvas = {
  width: number;
  height: number;
  getContext(kind: string): object | null;
  addEventListener(): void;
  removeEventListener(): void;
};

type Texture = { pixels?: Uint8ClampedArray; width: number; height: number; isFlipped: boolean };
type Framebuffer = { texture?: Texture };

const GL = {
  TEXTURE_2D: 0x0de1,
  RGBA: 0x1908,
  UNSIGNED_BYTE: 0x1401,
  UNPACK_FLIP_Y_WEBGL: 0x9240,
  FRAMEBUFFER: 0x8d40,
  FRAMEBUFFER_COMPLETE: 0x8cd5,
  NO_ERROR: 0,
} as const;
/** What the library asks about a context when it starts, by number of the parameter. */
const PARAMETERS: Readonly<Record<number, string | number>> = {
  0x1f00: 'Undertone',
  0x1f01: 'pixel store',
  0x1f02: 'WebGL 2.0 (pixel store)',
  0x8b8c: 'WebGL GLSL ES 3.00 (pixel store)',
  0x0d33: 16_384,
};
const SIGNALED = 0x9119;
const ALREADY_SIGNALED = 0x911a;
const CHANNELS = 4;

/**
 * Returns a canvas whose "WebGL2" only keeps textures and reads them back. The CPU delegate of tasks-vision needs no more:
 * its JavaScript uploads each picture with `texImage2D`, its WebAssembly fetches it with `readPixels`. Drawing throws.
 */
export function createPixelStoreCanvas(): PixelStoreCanvas {
  const context = createContext();
  return {
    width: 1,
    height: 1,
    getContext: (kind) => (kind === 'webgl2' ? context : null),
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  };
}

function createContext(): object {
  const bound = new Map<number, Texture | null>();
  let unit = 0;
  let framebuffer: Framebuffer | null = null;
  let isFlipped = false;
  const current = (): Texture | null => bound.get(unit) ?? null;
  const known: Record<string, unknown> = {
    ...GL,
    ...answers(),
    createTexture: (): Texture => ({ width: 0, height: 0, isFlipped: false }),
    createFramebuffer: (): Framebuffer => ({}),
    activeTexture: (index: number) => void (unit = index),
    bindTexture: (_target: number, texture: Texture | null) => void bound.set(unit, texture),
    deleteTexture: (texture: Texture | null) => {
      if (texture) delete texture.pixels;
      for (const [at, other] of bound) if (other === texture) bound.delete(at);
    },
    pixelStorei: (name: number, value: number | boolean) => {
      if (name === GL.UNPACK_FLIP_Y_WEBGL) isFlipped = Boolean(value);
    },
    texImage2D: (...args: unknown[]) => store(current(), args, isFlipped),
    texStorage2D: (...[, , , width, height]: number[]) => {
      const texture = current();
      if (texture) Object.assign(texture, { width, height });
    },
    bindFramebuffer: (_target: number, bind: Framebuffer | null) => void (framebuffer = bind),
    framebufferTexture2D: (...args: unknown[]) => {
      if (framebuffer) framebuffer.texture = args[3] as Texture;
    },
    readPixels: (...[x, y, width, height, , , into, offset]: Parameters<ReadPixels>) => {
      if (framebuffer?.texture) readInto(into.subarray(offset ?? 0), framebuffer.texture, { x, y, width, height });
    },
  };
  return forgiving(known);
}

type Area = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
type ReadPixels = (...a: [number, number, number, number, number, number, Uint8Array, number?]) => void;

/** `texImage2D` with six arguments brings a picture; with nine only a size, and perhaps bytes. */
function store(texture: Texture | null, args: unknown[], isFlipped: boolean): void {
  if (!texture) return;
  if (args.length === 6) {
    const { width, height, data } = args[5] as Pixels;
    Object.assign(texture, { width, height, pixels: data, isFlipped });
  } else Object.assign(texture, { width: args[3], height: args[4], pixels: args[8] ?? undefined, isFlipped: false });
}

function readInto(into: Uint8Array, { pixels, width, height, isFlipped }: Texture, area: Area): void {
  if (!pixels) return;
  for (let row = 0; row < area.height; row++) {
    const y = isFlipped ? height - 1 - (area.y + row) : area.y + row;
    const from = (y * width + area.x) * CHANNELS;
    into.set(pixels.subarray(from, from + area.width * CHANNELS), row * area.width * CHANNELS);
  }
}

function answers(): Record<string, unknown> {
  const nothing = (): object => ({});
  const draw = (): never => {
    throw new Error('the pixel store cannot draw');
  };
  return {
    createBuffer: nothing,
    createProgram: nothing,
    createShader: nothing,
    createVertexArray: nothing,
    createRenderbuffer: nothing,
    createSampler: nothing,
    fenceSync: nothing,
    checkFramebufferStatus: () => GL.FRAMEBUFFER_COMPLETE,
    getContextAttributes: () => ({ alpha: true, premultipliedAlpha: true }),
    getSupportedExtensions: () => ['EXT_color_buffer_float'],
    getExtension: nothing,
    getError: () => GL.NO_ERROR,
    getParameter: (parameter: number) => PARAMETERS[parameter] ?? 0,
    getShaderParameter: () => true,
    getProgramParameter: () => true,
    getShaderInfoLog: () => '',
    getProgramInfoLog: () => '',
    getUniformLocation: () => null,
    getAttribLocation: () => 0,
    clientWaitSync: () => ALREADY_SIGNALED,
    getSyncParameter: () => SIGNALED,
    isContextLost: () => false,
    drawArrays: draw,
    drawElements: draw,
  };
}

/** Any other method does nothing; any other constant is unknown. */
function forgiving(known: Record<string, unknown>): object {
  return new Proxy(known, {
    get(target, name): unknown {
      if (name in target || typeof name === 'symbol') return Reflect.get(target, name);
      return /^[A-Z0-9_]+$|^current/.test(name) ? undefined : () => undefined;
    },
  });
}
