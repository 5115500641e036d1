import { createClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type Agent, AgentUpdatesDocument, applyAgentUpdate, run } from '../../src/client/index.js';
import { request, simulator, startApp } from '../support/app.js';

test("the README's client keeps the picture that a query gives", async () => {
  await using app = await startApp([simulator('ruv-swarm', { agents: 5, hz: 0 })]);
  const url = `${app.url.replace('http', 'ws')}/graphql`;
  const seen: string[] = [];

  const client = createClient({ url, webSocketImpl: WebSocket });
  let agents: ReadonlyMap<string, Agent> = new Map();

  for await (const { agentUpdates } of run(client, AgentUpdatesDocument, { mode: 'NORMAL' })) {
    agents = applyAgentUpdate(agents, agentUpdates);
    for (const { name, type, status } of agents.values()) seen.push(`${name} (${type}): ${status}`);
    if (agents.size > 0) break;
  }
  await client.dispose();

  expect(seen).toHaveLength(agents.size);
  const { data } = await request(app, '{ agents { id } }');
  expect(data).toEqual({ agents: [...agents.keys()].map((id) => ({ id })) });
});
