import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/** Niceness of a thread that gives way: about a third of the share of one that does not. */
const NICENESS = 5;

/**
 * Lowers the priority of the calling thread, so that others of the process go first. Linux alone has priorities of threads;
 * elsewhere, and where it may not, nothing happens. Returns whether it did.
 */
export function giveWay(): boolean {
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    if (!(thread > 0)) return false;
    setPriority(thread, NICENESS);
    return true;
  } catch {
    return false;
  }
}
