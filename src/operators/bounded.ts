/** Sets `key` in `map` and, when there are more than `limit` entries, forgets those set first. */
export function setBounded<K, V>(map: Map<K, V>, key: K, value: V, limit: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= limit) return;
  for (const oldest of map.keys()) {
    if (map.size <= limit) break;
    map.delete(oldest);
  }
}

/** Appends `value` to `list` and returns how many of the oldest were removed to keep at most `limit`. */
export function pushBounded<T>(list: T[], value: T, limit: number): number {
  list.push(value);
  return list.length > limit ? list.splice(0, list.length - limit).length : 0;
}

/**
 * Returns `settings` when each value of it is a finite number greater than 0.
 * @throws RangeError naming the setting, the rule and the value.
 */
export function requirePositive<T extends Readonly<Record<string, number>>>(settings: T): T {
  for (const [name, value] of Object.entries(settings)) {
    if (!(Number.isFinite(value) && value > 0)) {
      throw new RangeError(`${name} must be a finite number greater than 0, got ${value}`);
    }
  }
  return settings;
}
