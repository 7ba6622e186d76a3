import { expect } from 'vitest';

import { itInChromium, launchChromium } from './chromium.ts';

itInChromium('Chromium starts, and runs a script.', async () => {
  const browser = await launchChromium();
  const page = await browser.newPage();
  const version = await page.evaluate('navigator.userAgent');
  await browser.close();
  expect(version).toContain('HeadlessChrome');
});
