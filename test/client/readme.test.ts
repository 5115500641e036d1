import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createSwarmClient } from '@swarmlens/client';
import { request, simulator, startApp } from '../support/app.js';

test("the README's client sees the agents that a query gives", async () => {
  await using app = await startApp([simulator('ruv-swarm', { agents: 5, hz: 0 })]);
  const seen: string[] = [];

  await using client = createSwarmClient({ url: app.url, webSocketImpl: WebSocket });

  for await (const { snapshot } of client.agents({ serverTypes: ['RUV_SWARM'] }, 'NORMAL')) {
    for (const { name, type, status } of snapshot.agents.values()) seen.push(`${name} (${type}): ${status}`);
    if (seen.length > 0) break;
  }

  const { data } = await request(app, '{ agents { name type status } }');
  const agents = data?.['agents'] as readonly Record<'name' | 'type' | 'status', string>[]; // as asked
  expect(seen).toEqual(agents.map(({ name, type, status }) => `${name} (${type}): ${status}`));
});

test('what this runs stands in the README', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  expect(readme).toContain("client.agents({ serverTypes: ['RUV_SWARM'] }, 'NORMAL')");
  expect(readme).toContain('for (const { name, type, status } of snapshot.agents.values())');
});
