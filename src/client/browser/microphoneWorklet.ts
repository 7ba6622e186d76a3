/** The part of the global scope of audio worklets that is used; the DOM library does not describe it. */
declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

const BLOCK_MS = 20;
/** Blocks that the page has not taken yet, 5 s of sound; while it does not, sound is let go. */
const MAX_WAITING = 250;

/** Gives the page what a microphone hears, mixed down to one channel, in blocks of 20 ms at the rate of the context. */
class MicrophoneProcessor extends AudioWorkletProcessor {
  #block = new Float32Array(Math.round((sampleRate * BLOCK_MS) / 1_000));
  #filled = 0;
  #waiting = 0;

  constructor() {
    super();
    this.port.onmessage = () => this.#waiting--;
  }

  /** Called for each 128 samples; returns whether it wants to be called again. */
  process([channels = []]: readonly (readonly Float32Array[])[]): boolean {
    const length = channels[0]?.length ?? 0;
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (const channel of channels) sum += channel[i] ?? 0;
      this.#block[this.#filled++] = sum / channels.length;
      if (this.#filled === this.#block.length) this.#give();
    }
    return true;
  }

  #give(): void {
    this.#filled = 0;
    if (this.#waiting >= MAX_WAITING) return;
    this.#waiting++;
    this.port.postMessage(this.#block, [this.#block.buffer]);
    this.#block = new Float32Array(Math.round((sampleRate * BLOCK_MS) / 1_000));
  }
}

registerProcessor('undertone-microphone', MicrophoneProcessor);

export {};
