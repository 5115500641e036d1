import { expect, test } from 'vitest';
import { expectUnchanged } from './claude-flow-project.js';

test('ClaudeFlowAdapter leaves every file unchanged after an hour of polls at 10 Hz', async () => {
  await expect(expectUnchanged(36_000)).resolves.toBeUndefined();
});
