import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileWriter, MAX_KEPT_UTTERANCES, OUTPUT_FILES } from '../../../src/app/present/files.ts';
import { createPendingFiles, type FileCalls } from '../../../src/app/present/pendingFiles.ts';
import { decodeInsight } from '../../../src/protocol/insight.ts';
import { sampleSession, sampleSummary, sampleUtterance } from '../../support/sampleInsights.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'undertone-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const failed = (system: string): Error => Object.assign(new Error(`${system}: not for eyes`), { code: system });
const OUTPUT_FAILED: unknown = expect.objectContaining({ code: 'OUTPUT_FAILED' });
const codeOf = (step: () => unknown): unknown => {
  try {
    step();
  } catch (error) {
    return error;
  }
  return 'nothing was thrown';
};

/** File calls that keep everything in memory and fail where told to. */
function memoryCalls(failing: Partial<FileCalls> = {}): FileCalls & { readonly files: Map<string, string> } {
  const files = new Map<string, string>();
  const handles: string[] = [];
  return {
    files,
    makeFolder: () => undefined,
    open(path) {
      files.set(path, '');
      return handles.push(path) - 1;
    },
    write(handle, bytes) {
      const path = handles[handle] ?? '';
      const part = bytes.subarray(0, 7);
      files.set(path, (files.get(path) ?? '') + Buffer.from(part).toString('latin1'));
      return part.length;
    },
    sync: () => undefined,
    close: () => undefined,
    rename(from, to) {
      files.set(to, files.get(from) ?? '');
      files.delete(from);
    },
    remove: (path) => void files.delete(path),
    ...failing,
  };
}

describe('createFileWriter', () => {
  it('leaves the four files of a session, and nothing else, in a folder it creates', async () => {
    const out = join(folder, 'a', 'b');
    const writer = createFileWriter(out);
    for (const insight of sampleSession()) writer.show(insight);
    await writer.close();
    expect(readdirSync(out).sort()).toEqual([...OUTPUT_FILES].sort());
    expect(writer.paths.every((path) => existsSync(path))).toBe(true);
    const lines = readFileSync(join(out, 'insights.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => decodeInsight(line).ok)).toEqual(sampleSession().map(() => true));
    const summary: unknown = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'));
    expect(decodeInsight(summary)).toMatchObject({ ok: true, insight: { type: 'summary', utterances: 12 } });
    expect(readFileSync(join(out, 'captions.vtt'), 'utf8').match(/-->/g)).toHaveLength(12);
    expect(readFileSync(join(out, 'timeline.svg'), 'utf8').match(/class="utterance"/g)).toHaveLength(12);
  });

  it('streams each insight to a temporary file at once, under no final name before the end', () => {
    const writer = createFileWriter(folder);
    writer.show(sampleUtterance());
    const [temporary] = readdirSync(folder).filter((name) => name.startsWith('.insights.jsonl.'));
    expect(readFileSync(join(folder, temporary ?? ''), 'utf8')).toMatch(/^\{"v":1,"type":"utterance".*\}\n$/);
    expect(readdirSync(folder).filter((name) => !name.startsWith('.'))).toEqual([]);
    writer.discard();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('replaces the files of an earlier run only when the new ones are whole', async () => {
    writeFileSync(join(folder, 'summary.json'), 'earlier');
    const broken = createFileWriter(folder);
    broken.show(sampleUtterance());
    await broken.close();
    expect(readFileSync(join(folder, 'summary.json'), 'utf8')).toBe('earlier');
    expect(readdirSync(folder)).toEqual(['summary.json']);
    const whole = createFileWriter(folder);
    whole.show(sampleSummary());
    await whole.close();
    expect(readFileSync(join(folder, 'summary.json'), 'utf8')).toContain('"type": "summary"');
  });

  it('closes twice and discards after closing without harm', async () => {
    const writer = createFileWriter(folder);
    writer.show(sampleSummary());
    await writer.close();
    await writer.close();
    writer.discard();
    expect(readdirSync(folder).sort()).toEqual([...OUTPUT_FILES].sort());
  });

  it('says at the start that the folder cannot be written', () => {
    const occupied = join(folder, 'file');
    writeFileSync(occupied, '');
    expect(codeOf(() => createFileWriter(join(occupied, 'out')))).toEqual(OUTPUT_FAILED);
    const locked = createPendingFilesIn(folder);
    expect(codeOf(() => locked.begin('x'))).toMatchObject({
      code: 'OUTPUT_FAILED',
      message: expect.stringMatching(/\(EACCES\)$/),
    });
  });

  it('holds captions and timeline of a bounded number of utterances, and says how many are left out', async () => {
    const calls = memoryCalls({ write: (_, bytes) => bytes.length });
    let captions = '';
    calls.write = (_, bytes) => {
      if (bytes[0] === 0x57) captions = Buffer.from(bytes.subarray(0, 80)).toString();
      return bytes.length;
    };
    const writer = createFileWriter('/out', calls);
    for (let index = 0; index < MAX_KEPT_UTTERANCES + 3; index += 1)
      writer.show(sampleUtterance({ seq: index + 1, utteranceId: `u${index}` }));
    writer.show(sampleSummary());
    await writer.close();
    expect(captions).toContain('NOTE 3 later utterances were left out');
  });
});

/** Pending files in a folder nobody may write to; root may write anywhere, so the refusal is made by the call. */
function createPendingFilesIn(path: string): ReturnType<typeof createPendingFiles> {
  chmodSync(path, 0o755);
  return createPendingFiles(
    path,
    memoryCalls({
      open: () => {
        throw failed('EACCES');
      },
    }),
  );
}

describe('createPendingFiles', () => {
  it('writes everything although the system takes only a few bytes at a time', () => {
    const calls = memoryCalls();
    const pending = createPendingFiles('/out', calls);
    pending.begin('a');
    pending.append('a', 'first line of many bytes\n');
    pending.append('a', 'second\n');
    pending.publish();
    expect([...calls.files]).toEqual([[join('/out', 'a'), 'first line of many bytes\nsecond\n']]);
  });

  it.each(['ENOSPC', 'EPIPE', 'EIO'])(
    'removes every temporary file when a write fails with %s, and names the file',
    (system) => {
      const memory = memoryCalls();
      let writes = 0;
      const write: FileCalls['write'] = (handle, bytes) => {
        writes += 1;
        if (writes > 3) throw failed(system);
        return memory.write(handle, bytes);
      };
      const calls = { ...memory, write };
      const pending = createPendingFiles('/out', calls);
      pending.begin('a');
      pending.begin('b');
      const error = codeOf(() => pending.append('b', 'what was said, longer than three writes of seven bytes'));
      expect(error).toMatchObject({
        code: 'OUTPUT_FAILED',
        message: `${join('/out', 'b')}: cannot be written (${system})`,
        retryable: true,
      });
      expect(calls.files.size).toBe(0);
    },
  );

  it('surfaces a full disk that the system reports, where /dev/full shows one', (context) => {
    if (!existsSync('/dev/full')) context.skip('skipped: this system has no /dev/full');
    const calls = memoryCalls({ open: () => openSync('/dev/full', 'w'), write: writeSync, close: closeSync });
    const writer = createFileWriter('/out', calls);
    expect(codeOf(() => writer.show(sampleUtterance()))).toMatchObject({
      code: 'OUTPUT_FAILED',
      message: `${join('/out', 'insights.jsonl')}: cannot be written (ENOSPC)`,
    });
  });

  it('gives no file its name when one cannot be brought to disk', () => {
    const calls = memoryCalls({
      sync: () => {
        throw failed('EIO');
      },
    });
    const pending = createPendingFiles('/out', calls);
    pending.begin('a');
    expect(codeOf(() => pending.publish())).toEqual(OUTPUT_FAILED);
    expect(calls.files.size).toBe(0);
  });

  it('removes the temporary files when a name is taken by a folder', () => {
    mkdirSync(join(folder, 'b'));
    const pending = createPendingFiles(folder);
    pending.begin('b');
    expect(codeOf(() => pending.publish())).toEqual(OUTPUT_FAILED);
    expect(readdirSync(folder)).toEqual(['b']);
  });

  it('stays silent when cleaning up fails too', () => {
    const calls = memoryCalls({
      close: () => {
        throw failed('EBADF');
      },
      remove: () => {
        throw failed('EBUSY');
      },
    });
    const pending = createPendingFiles('/out', calls);
    pending.begin('a');
    expect(() => pending.discard()).not.toThrow();
  });

  it('gives the captions the text that came after an utterance was final, once', async () => {
    const writer = createFileWriter(folder);
    writer.show(sampleUtterance({ text: null }));
    writer.show(sampleUtterance({ text: 'late words', status: 'revised', revision: 3 }));
    writer.show(sampleSummary());
    await writer.close();
    const captions = readFileSync(join(folder, 'captions.vtt'), 'utf8');
    expect(captions.match(/-->/g)).toHaveLength(1);
    expect(captions).toContain('late words');
  });
});
