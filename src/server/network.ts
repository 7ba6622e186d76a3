import { isIP } from 'node:net';

/** Whose address nobody knows, such as that of a socket that is already gone, shares this name. */
const UNKNOWN_NETWORK = 'unknown';

/**
 * Returns what counts as one peer: an IPv4 address, or the first 64 bits of an IPv6 address, since whoever has one such
 * address usually has all 2⁶⁴ of its network. IPv4 inside IPv6 is IPv4. Anything else is `unknown`.
 */
export function networkOf(address: string): string {
  const groups = groupsOf(address);
  if (groups === undefined) return UNKNOWN_NETWORK;
  const [first, second] = v4Of(groups) ?? [];
  if (first !== undefined && second !== undefined)
    return [first >> 8, first & 0xff, second >> 8, second & 0xff].join('.');
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** Does `address` belong to this machine alone (127.0.0.0/8 or ::1)? Names are not addresses. */
export function isLoopbackAddress(address: string): boolean {
  const groups = groupsOf(address);
  if (groups === undefined) return false;
  const [first] = v4Of(groups) ?? [];
  return first === undefined ? groups.every((group, i) => group === (i === 7 ? 1 : 0)) : first >> 8 === 127;
}

/** Is `host`, as in a URL or on the command line, this machine alone: a loopback address or `localhost`? */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return bare === 'localhost' || isLoopbackAddress(bare);
}

/** The two 16-bit halves of the IPv4 address that stands in ::ffff:0:0/96. */
function v4Of(groups: readonly number[]): readonly number[] | undefined {
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  return isMapped ? groups.slice(6) : undefined;
}

/** The eight 16-bit groups of an address, IPv4 as ::ffff:a.b.c.d. */
function groupsOf(address: string): readonly number[] | undefined {
  const bare = address.replace(/%.*$/s, '');
  const version = isIP(bare);
  if (version === 0) return undefined;
  const [head = '', tail] = (version === 4 ? `::ffff:${bare}` : bare).split('::');
  const left = toGroups(head);
  const right = toGroups(tail ?? '');
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

function toGroups(text: string): readonly number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}
