import { describe, expect, it } from 'vitest';

import { importOptional } from '../../../src/model/backends/importOptional.ts';

describe('importOptional', () => {
  it('gives the namespace of a package that is installed.', async () => {
    expect(await importOptional('ws')).toHaveProperty('default');
  });

  it('gives nothing for one that is not.', async () => {
    expect(await importOptional('@undertone/not-there')).toBeUndefined();
  });

  it('passes on what a package says that is installed and does not load.', async () => {
    const broken = 'data:text/javascript,throw new Error("wrong ELF class")';
    await expect(importOptional(broken)).rejects.toThrow('wrong ELF class');
  });
});
