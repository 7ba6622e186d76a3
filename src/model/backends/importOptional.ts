/**
 * Returns the namespace of an optional package, or `undefined` when it is not installed. Rejects with what the package
 * itself says when it is installed and does not load (a binary for another system, a driver that is missing).
 */
export async function importOptional(name: string): Promise<unknown> {
  let url: string;
  try {
    url = import.meta.resolve(name);
  } catch {
    return undefined;
  }
  return import(url);
}
