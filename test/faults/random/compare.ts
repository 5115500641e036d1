import { isDeepStrictEqual } from 'node:util';
import { AGENT_FIELDS, request } from '../../support/app.js';
import { withoutNulls } from '../../support/contract-client.js';
import type { FaultyServer } from '../faulty-server.js';
import { LIST_TOOLS, listedIn, shownIn } from '../own-lists.js';
import type { Watcher } from './subscriber.js';

type Agents = readonly Readonly<Record<string, unknown>>[];

/** Returns the differences between subscribers and fresh queries, and between queries and the lists of the servers. */
export async function differences(
  url: string,
  servers: readonly FaultyServer[],
  watchers: readonly Watcher[],
): Promise<readonly string[]> {
  const found: string[] = [];
  const health = await ask(url, '{ servers { id status stale lastError } }');
  for (const { id, status, stale, lastError } of health?.['servers'] as Agents) {
    if (status !== 'ONLINE' || stale !== false) found.push(`${String(id)} is ${String(status)}: ${String(lastError)}`);
  }
  if (found.length > 0) return found;
  for (const { name, life } of servers) {
    const own: string[] = [];
    for (const tool of LIST_TOOLS[life.type]) {
      const data = await ask(
        url,
        'mutation Own($name: ID!, $tool: String!) { callTool(serverId: $name, tool: $tool) { content } }',
        { name, tool },
      );
      if (data === null) return [`${name} does not answer ${tool}`];
      own.push(...listedIn((data['callTool'] as { content: unknown }).content)); // as selected
    }
    const shown = (await agents(url, {})).filter(({ serverId }) => serverId === name);
    // claude-flow lists some workers of its hive mind twice.
    const [ours, theirs] = [shownIn(shown).toSorted(), [...new Set(own)].toSorted()];
    if (!isDeepStrictEqual(ours, theirs)) found.push(`${name} lists ${theirs.join()}; shown are ${ours.join()}`);
  }
  // Streams on demand need this. It is limited to once per second, so the next comparison repeats it.
  await ask(url, 'mutation { requestAgentUpdate { serverIds } }');
  for (const { view, state } of watchers) {
    const fresh = sorted(await agents(url, view));
    const [whole, patched] = [sorted(state.whole.values()), sorted(state.patched.values())];
    const name = JSON.stringify(view);
    if (!isDeepStrictEqual(whole, fresh)) found.push(`${name} has ${firstDifference(whole, fresh)}`);
    else if (!isDeepStrictEqual(withoutNulls(patched), withoutNulls(fresh))) {
      found.push(`${name} has by patches ${firstDifference(patched, fresh)}`);
    }
  }
  return found;
}

async function agents(url: string, filter: Pick<Watcher['view'], 'serverTypes' | 'agentTypes'>): Promise<Agents> {
  const data = await ask(
    url,
    `query Fresh($serverTypes: [McpServerType!], $agentTypes: [String!]) {
      agents(serverTypes: $serverTypes, agentTypes: $agentTypes) { ${AGENT_FIELDS} } }`,
    { serverTypes: filter.serverTypes, agentTypes: filter.agentTypes },
  );
  return data?.['agents'] as Agents; // as selected
}

async function ask(
  url: string,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<Record<string, unknown> | null> {
  const { data, errors } = await request({ url }, query, variables);
  return errors === undefined ? (data ?? null) : null;
}

function sorted(all: Iterable<Readonly<Record<string, unknown>>>): Agents {
  return [...all].toSorted((a, b) => (String(a['id']) < String(b['id']) ? -1 : 1));
}

function firstDifference(ours: Agents, theirs: Agents): string {
  const index = Math.max(
    0,
    theirs.findIndex((one, at) => !isDeepStrictEqual(withoutNulls(one), withoutNulls(ours[at]))),
  );
  return `${ours.length} agents, and not ${theirs.length}: ${JSON.stringify(ours[index])}, and not ${JSON.stringify(theirs[index])}`;
}
