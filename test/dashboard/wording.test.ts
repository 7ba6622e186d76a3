import { describe, expect, it } from 'vitest';
import { percentText, reasonText, statusText, timeText } from '../../src/dashboard/wording.ts';
import { UndertoneError } from '../../src/errors.ts';

describe('the words of the page', () => {
  it('round ratios, and say 0 and 100 only when they are exactly that', () => {
    expect([0, 0.001, 0.456, 0.999, 1].map(percentText)).toEqual(['0 %', '1 %', '46 %', '99 %', '100 %']);
  });

  it('give times in minutes and seconds', () => {
    expect([-1, 0, 61_900, 3_600_000].map(timeText)).toEqual(['00:00', '00:00', '01:01', '60:00']);
  });

  it('make a reason readable', () => {
    expect([reasonText('camera_off'), reasonText(undefined)]).toEqual(['camera off', 'not said']);
  });

  it('say how the connection stands', () => {
    const lost = { state: 'reconnecting', sinceMs: 1_000, attempt: 2, closeCode: 1_006 } as const;
    const error = new UndertoneError('FORBIDDEN', 'no');
    expect([
      statusText({ state: 'connecting', attempt: 1 }, 0),
      statusText({ state: 'connecting', attempt: 3, code: 'UNREACHABLE' }, 0),
      statusText({ state: 'live', session: 's', epoch: 1 }, 0),
      statusText({ state: 'resumed', session: 's', epoch: 1 }, 0),
      statusText(lost, 8_200),
      statusText({ ...lost, code: 'UNREACHABLE' }, 0),
      statusText({ state: 'closed', closeCode: 1_000 }, 0),
      statusText({ state: 'closed', closeCode: 1_000, reason: 'length' }, 0),
      statusText({ state: 'closed', closeCode: 4_403, error }, 0),
    ]).toEqual([
      'connecting',
      'connecting, attempt 3 (UNREACHABLE)',
      'live',
      'live again, nothing lost',
      'reconnecting for 7 s',
      'reconnecting for 0 s (UNREACHABLE)',
      'closed (by you)',
      'closed (length)',
      'closed (FORBIDDEN)',
    ]);
  });
});
