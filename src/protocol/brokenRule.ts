import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** Values of an enumeration that are told; what has more is in the documentation. */
const MAX_VALUES = 32;
const NONE: ReadonlySet<PropertyKey> = new Set();

/**
 * Returns the first rule that a message breaks: the path of the field, the rule, and what would be allowed:
 * `purpose: invalid_value, one of meeting, coaching`. All of it is from our schema; nothing of what was sent is repeated.
 * @param openKeys Fields whose keys a peer chose; these become `*`.
 */
export function brokenRuleOf({ issues }: z.ZodError, openKeys: ReadonlySet<PropertyKey> = NONE): string {
  const [issue] = issues;
  if (!issue) return 'message: unknown rule';
  const path = issue.path.map((key, index) => (openKeys.has(issue.path[index - 1] ?? '') ? '*' : String(key)));
  const custom: unknown = issue.code === 'custom' ? issue.params?.['rule'] : undefined;
  const rule = typeof custom === 'string' ? custom : issue.code;
  const allowed = allowedBy(issue);
  return `${path.join('.') || 'message'}: ${rule}${allowed === undefined ? '' : `, ${allowed}`}`;
}

function allowedBy(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_value':
      return oneOf(issue.values);
    case 'invalid_union':
      return 'options' in issue && Array.isArray(issue.options) ? oneOf(issue.options) : undefined;
    case 'invalid_type':
      return `expected ${issue.expected}`;
    case 'too_big':
      return `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`;
    case 'too_small':
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`;
    default:
      return undefined;
  }
}

function oneOf(values: readonly unknown[]): string | undefined {
  return values.length > 0 && values.length <= MAX_VALUES ? `one of ${values.map(String).join(', ')}` : undefined;
}
