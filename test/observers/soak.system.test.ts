import { expect, test } from 'vitest';
import { runObserveSoak } from './soak/observe-soak.js';

test('an observer shows what scripted sessions wrote in the end, and leaves their files unchanged', async () => {
  const { problems, agents, samples } = await runObserveSoak({ seconds: 5, sessions: 5, seed: 7 });

  expect(problems).toEqual([]);
  expect(agents).toBeGreaterThan(5);
  expect(samples.length).toBeGreaterThan(0);
});
