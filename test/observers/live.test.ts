import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/shared/index.js';
import { waitUntil } from '../support/wait.js';
import { agentsOf, invented, ObservedDirectory } from './observed-directory.js';

const { session, path, prompt, call } = invented;
const SUBAGENT = `projects/-home-dev-shop/${session}/subagents/agent-a1.jsonl`;

test('Observer notices a new directory, sessions and subagents by itself', async () => {
  await using directory = await ObservedDirectory.create();
  await rm(directory.root, { recursive: true });
  await using observer = directory.observe({ clock: systemClock });
  await observer.ready;
  const status = (id: string): string | undefined => agentsOf(observer).get(id)?.status;

  await directory.write(path, prompt(0));
  await waitUntil(() => status(session) === 'working', { state: () => [...agentsOf(observer)] });
  await directory.write(SUBAGENT, prompt(1));
  await waitUntil(() => status(`${session}/a1`) === 'working', { state: () => [...agentsOf(observer)] });
  await directory.append(SUBAGENT, call(2, 'x', 'Grep'));
  await waitUntil(() => agentsOf(observer).get(`${session}/a1`)?.activity?.label === 'Grep', {
    state: () => [...agentsOf(observer)],
  });
  expect(agentsOf(observer).size).toBe(2);
});

test('Observer publishes nothing while nothing changes', async () => {
  await using directory = await ObservedDirectory.create();
  await directory.write(path, prompt(0));
  await using observer = directory.observe();
  await observer.settled();
  const { revision } = observer.lists;
  await directory.clock.pass(120_000, 1_000);
  await observer.settled();

  expect(observer.lists.revision).toBe(revision);
});
