import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createPrivacyProbe } from '../../../src/app/doctor/privacyMode.ts';

const folder = mkdtempSync(join(tmpdir(), 'undertone-privacy-'));
afterAll(() => rmSync(folder, { recursive: true }));

const fileOf = (text: string): string => {
  const path = join(folder, 'server.json');
  writeFileSync(path, text);
  return path;
};
const probe = async (config: object): Promise<{ version: string; from: string; details: readonly string[] }> => {
  const found = await createPrivacyProbe(fileOf(JSON.stringify(config)))();
  if (!found.isFound) throw new Error(found.reason);
  return { ...found, details: found.details ?? [] };
};

describe('createPrivacyProbe', () => {
  it('says what replay and serve do when they are told nothing', async () => {
    const found = await createPrivacyProbe(undefined)();
    expect(found).toMatchObject({ isFound: true, version: 'none' });
    expect(found.isFound && found.details).toEqual([
      'nothing is ruled out for everybody',
      'pictures are not looked at without --vision on',
      'everybody: text, audio, face, body',
      'purposes workplace and education: text only, save for medical or safety reasons',
    ]);
  });

  it('says of the configuration of a server which mode is on and what may be analyzed of each role', async () => {
    const { version, from, details } = await probe({
      vision: 'on',
      policy: { privacy: 'no-face', roles: { agent: ['text'], customer: ['text', 'audio', 'face'] }, default: [] },
    });
    expect(version).toBe('no-face');
    expect(from).toBe(join(folder, 'server.json'));
    expect(details).toContain('the face model is neither loaded nor downloaded nor given to pages');
    expect(details).toContain('pictures are looked at');
    expect(details).toContain('role agent: text');
    expect(details).toContain('role customer: text, audio');
    expect(details).toContain('others: nothing');
  });

  it('says that text is all there is in text-only, and that consent is needed where it is', async () => {
    const { details } = await probe({ policy: { privacy: 'text-only', requireConsent: true } });
    expect(details).toContain('nothing is inferred from sound or pictures');
    expect(details).toContain('everybody: text');
    expect(details).toContain('nothing of whoever has not given consent');
  });

  it('fails with a code where there is no configuration, or none that a server takes', async () => {
    await expect(createPrivacyProbe(join(folder, 'none.json'))()).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect(createPrivacyProbe(fileOf('{'))()).rejects.toMatchObject({ code: 'BAD_CONFIG' });
    await expect(createPrivacyProbe(fileOf('{"policy":{"privacy":"all"}}'))()).rejects.toMatchObject({
      code: 'BAD_CONFIG',
    });
  });
});
