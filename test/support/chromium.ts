import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { it } from 'vitest';

/** Where Debian and Ubuntu put their Chromium; UNDERTONE_CHROMIUM may name another program. */
const named = process.env['UNDERTONE_CHROMIUM'];
const PROGRAM = named !== undefined && named !== 'required' ? named : '/usr/bin/chromium';

/**
 * A test in a real browser: skipped, with the reason in its title, where Chromium is missing; with
 * UNDERTONE_CHROMIUM=required, as in CI, it then fails.
 */
export function itInChromium(title: string, body: () => Promise<void>, timeout = 120_000): void {
  if (existsSync(PROGRAM) || named === 'required') it(title, { timeout }, body);
  else it.skip(`skipped: no Chromium at ${PROGRAM}: ${title}`, body);
}

/** Starts headless Chromium that makes no connection of its own; `more` are further command-line options. */
export function launchChromium(more: readonly string[] = []): Promise<Browser> {
  const quiet = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update'];
  return chromium.launch({
    executablePath: PROGRAM,
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-sync', ...quiet, ...more],
  });
}
