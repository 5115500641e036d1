import { expect, test } from 'vitest';
import { InsecureModeWarning } from '../../src/auth/index.js';
import { ManualClock } from '../support/manual-clock.js';

test('InsecureModeWarning warns immediately and every ten minutes until it is disposed', () => {
  const clock = new ManualClock();
  const warnings: string[] = [];
  const warning = new InsecureModeWarning(clock, (message) => warnings.push(message));
  expect(warnings).toEqual([expect.stringContaining('--insecure-no-auth')]);
  clock.advance(599_999);
  expect(warnings).toHaveLength(1);
  clock.advance(1_200_001);
  expect(warnings).toHaveLength(4);
  warning[Symbol.dispose]();
  expect(clock.pending).toBe(0);
});
