import { expect, test } from 'vitest';
import { InsecureModeWarning } from '../../src/auth/index.js';
import { ManualClock } from '../support/manual-clock.js';

test('it is said at once and every ten minutes until it ends', () => {
  const clock = new ManualClock();
  const said: string[] = [];
  const reminder = new InsecureModeWarning(clock, (message) => said.push(message));
  expect(said).toEqual([expect.stringContaining('--insecure-no-auth')]);
  clock.advance(599_999);
  expect(said).toHaveLength(1);
  clock.advance(1_200_001);
  expect(said).toHaveLength(4);
  reminder[Symbol.dispose]();
  expect(clock.pending).toBe(0);
});
