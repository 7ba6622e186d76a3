import { describe, expect, it } from 'vitest';
import { parseServerConfig, type Scope } from '../../src/config.ts';
import { createAccess } from '../../src/server/access.ts';
import { runCommand } from '../support/terminal.ts';

const linesOf = (out: string): readonly string[] =>
  out.split('\n').flatMap((line) => (line.startsWith('  ') ? [line.trim()] : []));

describe('undertone keys create', () => {
  it.each<[readonly string[], readonly Scope[]]>([
    [[], ['produce', 'consume']],
    [['--scopes', 'consume'], ['consume']],
    [
      ['--scopes', 'admin, produce'],
      ['produce', 'admin'],
    ],
  ])('with %j prints a key and an entry that lets it in with %j', async (argv, scopes) => {
    const { status, out, err } = await runCommand(['keys', 'create', ...argv]);
    expect([status, err]).toEqual([0, '']);
    const [key = '', entry = ''] = linesOf(out);
    expect(entry).not.toContain(key);
    const access = createAccess(parseServerConfig({ keys: [JSON.parse(entry)] }), { now: () => 0 });
    const request = { authorization: `Bearer ${key}`, protocols: [], remoteAddress: '192.0.2.1' };
    expect(await access.authenticate(request)).toEqual({
      keyId: expect.stringMatching(/^key-[0-9a-f]{8}$/) as string,
      scopes: new Set(scopes),
    });
  });

  it('never prints the same key or name twice', async () => {
    const [first, second] = [await runCommand(['keys', 'create']), await runCommand(['keys', 'create'])];
    expect(linesOf(first.out)).toHaveLength(2);
    for (const line of linesOf(first.out)) expect(linesOf(second.out)).not.toContain(line);
  });

  it.each(['root', '', 'produce,root', 'produce,produce', 'produce,'])('refuses the scopes "%s"', async (scopes) => {
    const { status, out, failures } = await runCommand(['keys', 'create', '--scopes', scopes]);
    expect([status, out]).toEqual([2, '']);
    expect(failures).toEqual([
      expect.stringMatching(/^undertone: BAD_OPTION: .*one or more of produce, consume, admin/),
    ]);
  });
});
