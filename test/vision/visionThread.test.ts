import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ThreadAnswer, ThreadRequest } from '../../src/vision/threadMessages.ts';
import { createVisionThread, type ThreadListener, type VisionThread } from '../../src/vision/visionThread.ts';

type Made = {
  readonly thread: VisionThread<string, string>;
  readonly posted: ThreadRequest<string, string>[];
  readonly busy: boolean[];
  readonly answer: (message: ThreadAnswer) => void;
  readonly end: (cause: Error) => void;
  readonly terminations: () => number;
};

/** A thread whose other side is the test. */
function make(post: (request: ThreadRequest<string, string>) => void = () => undefined): Made {
  const posted: ThreadRequest<string, string>[] = [];
  const busy: boolean[] = [];
  let listener: ThreadListener | undefined;
  let terminated = 0;
  const thread = createVisionThread<string, string>((listening) => {
    listener = listening;
    return {
      post: (request) => {
        post(request);
        posted.push(request);
      },
      terminate: async () => void terminated++,
      setBusy: (isBusy) => busy.push(isBusy),
    };
  }, 1_000);
  return {
    thread,
    posted,
    busy,
    answer: (message) => listener?.heard(message),
    end: (cause) => listener?.ended(cause),
    terminations: () => terminated,
  };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('createVisionThread', () => {
  it('resolves each request with its own answer', async () => {
    const { thread, answer, posted, busy } = make();
    const [opened, seen] = [thread.open(1, ['body'], 'model'), thread.look(2, 'picture')];
    answer({ type: 'seen', id: 2, sightings: [{ modality: 'body', atMs: 5, reason: 'no_body' }] });
    answer({ type: 'opened', id: 1 });
    await opened;
    expect(await seen).toEqual([{ modality: 'body', atMs: 5, reason: 'no_body' }]);
    expect(posted.map(({ type }) => type)).toEqual(['open', 'look']);
    expect(busy.at(-1)).toBe(false);
  });

  it('rejects with the message and the code of the thread', async () => {
    const { thread, answer } = make();
    const opened = thread.open(1, ['body'], 'model');
    answer({ type: 'failed', id: 1, message: 'not the model', code: 'BAD_MODEL' });
    await expect(opened).rejects.toMatchObject({ message: 'not the model', code: 'BAD_MODEL' });
    const seen = thread.look(1, 'picture');
    answer({ type: 'failed', id: 1, message: 'no' });
    await expect(seen).rejects.toThrow('no');
  });

  it('ends a thread that says nothing for too long, but not one that says that it is working', async () => {
    const { thread, answer, terminations } = make();
    const opened = thread.open(1, ['body'], 'model').catch((error: Error) => error.message);
    for (let i = 0; i < 10; i++) {
      vi.advanceTimersByTime(900);
      answer({ type: 'working', id: 1 });
    }
    expect(thread.hasEnded).toBe(false);
    vi.advanceTimersByTime(1_000);
    expect(await opened).toMatch(/^the thread ended/);
    expect(thread.hasEnded).toBe(true);
    expect(terminations()).toBe(1);
  });

  it('does not watch a thread that was asked nothing', () => {
    const { thread, answer } = make();
    void thread.open(1, ['body'], 'model');
    answer({ type: 'opened', id: 1 });
    vi.advanceTimersByTime(100_000);
    expect(thread.hasEnded).toBe(false);
  });

  it('rejects what waits and what comes when it has ended, and forgets in silence', async () => {
    const { thread, end, posted } = make();
    const seen = thread.look(1, 'picture');
    end(new Error('gone'));
    await expect(seen).rejects.toThrow('gone');
    await expect(thread.look(2, 'picture')).rejects.toThrow('gone');
    thread.forget(1);
    expect(posted).toHaveLength(1);
  });

  it('rejects what cannot be sent, and waits for no answer to it', async () => {
    const { thread } = make(() => {
      throw new Error('cannot be sent');
    });
    await expect(thread.look(1, 'picture')).rejects.toThrow('cannot be sent');
    vi.advanceTimersByTime(100_000);
    expect(thread.hasEnded).toBe(false);
  });
});
