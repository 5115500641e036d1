import { type Agent, AGENT_STATES, agentStateOf, type AgentState, contextRatioOf, tokensOf } from '@swarmlens/client';

/** Columns by which the table can be sorted. */
export const SORT_COLUMNS = ['status', 'agent', 'since', 'tokens', 'cost', 'context', 'server'] as const;
export type SortColumn = (typeof SORT_COLUMNS)[number];

/** Selection and order of the rows. */
export interface RowOptions {
  /** Text that an agent must contain, in any case. Empty if all agents match. */
  readonly filter: string;
  readonly state: AgentState | null;
  readonly sort: SortColumn;
  readonly isReversed: boolean;
  readonly isTree: boolean;
}

/** Row of the agent table. */
export interface AgentRow {
  readonly agent: Agent;
  /** Number of ancestors above the row in the tree. 0 in the list. */
  readonly depth: number;
  /** Whether the agent matches the filters. False for ancestors that are shown because of their descendants. */
  readonly matches: boolean;
}

/** Sort value. Null is last in both directions. */
type SortValue = string | number | null;

const SORT_VALUE: Readonly<Record<SortColumn, (agent: Agent) => SortValue>> = {
  status: (agent) => AGENT_STATES.indexOf(agentStateOf(agent)),
  agent: ({ name }) => name,
  since: ({ activity }) => activity?.since ?? null,
  tokens: (agent) => negate(tokensOf(agent)),
  cost: ({ usage }) => negate(usage?.costUsd ?? null),
  context: (agent) => negate(contextRatioOf(agent)),
  server: ({ serverId }) => serverId,
};

/** Selects, sorts and nests agents. Keeps the last result, because most frames change nothing of it. */
export class AgentRows {
  #agents: ReadonlyMap<string, Agent> | null = null;
  #options = '';
  #rows: readonly AgentRow[] = [];
  #indices: ReadonlyMap<string, number> | null = null;
  #sorted: readonly Agent[] = [];
  /** Searched text of agents that have not changed. */
  readonly #texts = new WeakMap<Agent, string>();

  /** Returns the rows, which are the same object until the agents or the options change. */
  select(agents: ReadonlyMap<string, Agent>, options: RowOptions): readonly AgentRow[] {
    const { filter, state, sort, isReversed, isTree } = options;
    const key = JSON.stringify([filter, state, sort, isReversed, isTree]);
    if (agents === this.#agents && key === this.#options) return this.#rows;
    this.#agents = agents;
    this.#options = key;
    this.#indices = null;
    this.#sorted = sortAgents(agents, this.#sorted, options);
    const matches = this.#createMatcher(options);
    this.#rows = isTree
      ? nestAgents(this.#sorted, agents, matches)
      : this.#sorted.filter(matches).map((agent) => ({ agent, depth: 0, matches: true }));
    return this.#rows;
  }

  /** Returns the index of an agent in the last rows. -1 if it has no row. */
  indexOf(id: string): number {
    this.#indices ??= new Map(this.#rows.map(({ agent }, index) => [agent.id, index]));
    return this.#indices.get(id) ?? -1;
  }

  #createMatcher({ filter, state }: RowOptions): Matcher {
    const needle = filter.trim().toLowerCase();
    return (agent) =>
      (state === null || agentStateOf(agent) === state) && (needle === '' || this.#textOf(agent).includes(needle));
  }

  #textOf(agent: Agent): string {
    let text = this.#texts.get(agent);
    if (text === undefined) {
      text = searchedText(agent);
      this.#texts.set(agent, text);
    }
    return text;
  }
}

type Matcher = (agent: Agent) => boolean;

/** Returns the texts of an agent in lower case, one per line. */
function searchedText({ id, name, type, status, title, workspace, model, swarmId, activity }: Agent): string {
  return [name, id, type, status, title, workspace, model, swarmId, activity?.label, activity?.detail]
    .join('\n')
    .toLowerCase();
}

/** Sorts agents. Starts with their previous order, because nearly sorted lists are sorted in linear time. */
function sortAgents(
  agents: ReadonlyMap<string, Agent>,
  previous: readonly Agent[],
  { sort, isReversed }: RowOptions,
): Agent[] {
  const direction = isReversed ? -1 : 1;
  const ordered = new Set<string>();
  for (const { id } of previous) if (agents.has(id)) ordered.add(id);
  for (const id of agents.keys()) ordered.add(id);
  const entries = Array.from(ordered).flatMap((id) => {
    const agent = agents.get(id);
    return agent === undefined ? [] : { agent, value: SORT_VALUE[sort](agent) };
  });
  entries.sort((a, b) => {
    if (a.value === b.value) return a.agent.id < b.agent.id ? -1 : 1;
    if (a.value === null || b.value === null) return a.value === null ? 1 : -1;
    return a.value < b.value ? -direction : direction;
  });
  return entries.map(({ agent }) => agent);
}

/** Places each agent below its parent. An agent whose parent is unknown, or that is its own ancestor, is at the top. */
function nestAgents(sorted: readonly Agent[], agents: ReadonlyMap<string, Agent>, matches: Matcher): AgentRow[] {
  const children = new Map<string, Agent[]>();
  const roots: Agent[] = [];
  for (const agent of sorted) {
    const { parentId } = agent;
    if (parentId === null || !agents.has(parentId)) {
      roots.push(agent);
      continue;
    }
    const siblings = children.get(parentId);
    if (siblings === undefined) children.set(parentId, [agent]);
    else siblings.push(agent);
  }
  const order: { readonly agent: Agent; readonly depth: number }[] = [];
  const placed = new Set<string>();
  const place = (root: Agent): void => {
    const pending = [{ agent: root, depth: 0 }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (placed.has(next.agent.id)) continue;
      placed.add(next.agent.id);
      order.push(next);
      const below = children.get(next.agent.id) ?? [];
      for (let index = below.length - 1; index >= 0; index -= 1) {
        const child = below[index];
        if (child !== undefined) pending.push({ agent: child, depth: next.depth + 1 });
      }
    }
  };
  for (const root of roots) place(root);
  // The rest is below a cycle of parents.
  for (const agent of sorted) if (!placed.has(agent.id)) place(agent);
  return withAncestors(order, matches);
}

/** Keeps the rows that match and the ancestors of these rows. */
function withAncestors(
  order: readonly { readonly agent: Agent; readonly depth: number }[],
  matches: Matcher,
): AgentRow[] {
  const rows: AgentRow[] = [];
  /** Depth of the nearest kept row below the current one, whose ancestors are still to come. */
  let keptDepth = 0;
  for (let index = order.length - 1; index >= 0; index -= 1) {
    const entry = order[index];
    if (entry === undefined) continue;
    const isMatch = matches(entry.agent);
    if (isMatch || entry.depth < keptDepth) {
      rows.push({ ...entry, matches: isMatch });
      keptDepth = entry.depth;
    }
  }
  return rows.reverse();
}

function negate(value: number | null): number | null {
  return value === null ? null : -value;
}
