import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { AGENT_FIELDS, describeEnd, StreamedState } from '../support/app.js';
import { withoutNulls } from '../support/contract-client.js';
import { waitUntil } from '../support/wait.js';
import type { FaultyServer, Life } from './faulty-server.js';
import { LIST_TOOLS, listedIn, shownIn } from './own-lists.js';
import type { Stage } from './fault-setup.js';
import { STEADY } from './healthy-server.js';

/** Time in milliseconds between two comparisons. Continuous queries would slow the stream down. */
const COMPARISON_INTERVAL_MS = 100;
/** Number of updates whose cursor is used for a resume. */
const RESUMES = 4;

type Agents = Map<string, Record<string, unknown>>;

/**
 * Asserts that swarmlens has recovered from a fault: the subscriber, a fresh query and the servers agree, the stream
 * contains no duplicates and no gaps, and the healthy server was not affected.
 */
export async function expectWhole(stage: Stage, servers: readonly FaultyServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.order({ do: 'freeze' })));
  stage.steady.freeze();
  await stage.isStale();
  const kinds = new Map([
    [STEADY, 'ruv-swarm' as const],
    ...servers.map(({ name, life }) => [name, life.type] as const),
  ]);
  await expectEqualState(stage, kinds);
  expectNoDuplicates(stage);
  await expectResumes(stage);
  for (const server of servers) expectChained(stage, server.name);
  expect(stage.health(STEADY)).toEqual([]);
  expect(stage.notices(STEADY)).toEqual([]);
}

/** Asserts that the state of the subscriber equals a fresh query and the lists of the servers, after updates in flight. */
async function expectEqualState(stage: Stage, kinds: ReadonlyMap<string, Life['type']>): Promise<void> {
  let seen = await look(stage, kinds);
  let isFirst = true;
  await waitUntil(
    async () => {
      if (!isFirst) seen = await look(stage, kinds);
      isFirst = false;
      return isSettled(seen);
    },
    {
      state: () => ({ own: seen.own, shown: seen.shown, difference: firstDifference(seen.state.whole, seen.fresh) }),
      intervalMs: COMPARISON_INTERVAL_MS,
    },
  );
  const { state, fresh, own, shown } = seen;
  expect(sorted(state.whole)).toEqual(sorted(fresh));
  expect(withoutNulls(sorted(state.patched))).toEqual(withoutNulls(sorted(fresh)));
  expect(shown).toEqual(own);
  expect([...fresh.values()].filter(({ stale }) => stale !== false)).toEqual([]);
}

interface Seen {
  readonly state: StreamedState;
  readonly fresh: Agents;
  /** Server, id and status of each agent that the servers list themselves. */
  readonly own: readonly string[];
  /** Server, id and status of each agent in the state of the subscriber. */
  readonly shown: readonly string[];
}

/** Lists the agents of each server with tool calls, each of which triggers a further poll. */
async function look(stage: Stage, kinds: ReadonlyMap<string, Life['type']>): Promise<Seen> {
  const own: string[] = [];
  for (const [serverId, kind] of kinds) {
    for (const tool of LIST_TOOLS[kind]) {
      own.push(...listedIn(await answerOf(stage, serverId, tool)).map((agent) => `${serverId}:${agent}`));
    }
  }
  const fresh = await freshAgents(stage);
  const state = stage.stateAfter();
  const shown = [...kinds.keys()].flatMap((serverId) =>
    shownIn(stage.agentsOf(serverId)).map((agent) => `${serverId}:${agent}`),
  );
  // claude-flow lists some workers of its hive mind twice.
  return { state, fresh, own: [...new Set(own)].toSorted(), shown: shown.toSorted() };
}

function isSettled({ state, fresh, own, shown }: Seen): boolean {
  return isDeepStrictEqual(sorted(state.whole), sorted(fresh)) && isDeepStrictEqual(own, shown);
}

async function freshAgents(stage: Stage): Promise<Agents> {
  const data = await stage.ask(`{ agents { ${AGENT_FIELDS} } }`);
  const agents = data['agents'] as Record<string, unknown>[]; // as selected
  return new Map(agents.map((agent) => [String(agent['id']), agent]));
}

async function answerOf(stage: Stage, serverId: string, tool: string): Promise<unknown> {
  const data = await stage.ask(
    'mutation Own($serverId: ID!, $tool: String!) { callTool(serverId: $serverId, tool: $tool) { content } }',
    { serverId, tool },
  );
  return (data['callTool'] as { content: unknown }).content; // as selected
}

/** Asserts one snapshot followed by deltas, each with unique ids and with removals of known agents only. */
function expectNoDuplicates({ stream }: Stage): void {
  const state = new StreamedState();
  if (stream.cuts > 0) console.log(`the connection was lost ${stream.cuts} times`);
  for (const [index, update] of stream.data.entries()) {
    const { kind, agents, removedAgentIds } = update.agentUpdates;
    expect(kind).toBe(index === 0 ? 'SNAPSHOT' : 'DELTA');
    const named = [...agents.map(({ id }) => id), ...removedAgentIds];
    expect(new Set(named).size).toBe(named.length);
    // The first update after a reconnect also removes agents that were created and removed in between.
    if (stream.cuts === 0) for (const id of removedAgentIds) expect(state.whole.has(id)).toBe(true);
    state.apply(update);
  }
}

/** Asserts that a client that resumes from the cursor of any update receives deltas and reaches the state of the stream. */
async function expectResumes(stage: Stage): Promise<void> {
  const updates = stage.stream.data;
  const lengths = Array.from(
    { length: RESUMES },
    (_, index) => 1 + Math.floor(((updates.length - 1) * index) / RESUMES),
  );
  for (const length of new Set(lengths)) {
    const after = updates[length - 1]?.agentUpdates.cursor;
    using resumed = stage.client.watchAgents({ after });
    await resumed.until((got) => got.length >= 1);
    expect(new Set(resumed.data.map(({ agentUpdates }) => agentUpdates.kind))).toEqual(new Set(['DELTA']));
    const caughtUp = (): StreamedState =>
      resumed.data.reduce((one, update) => one.apply(update), stage.stateAfter(length));
    const isCaughtUp = (): boolean => isDeepStrictEqual(sorted(caughtUp().whole), sorted(stage.stateAfter().whole));
    await waitUntil(isCaughtUp, {
      state: () => ({
        updates: resumed.data.length,
        difference: firstDifference(caughtUp().whole, stage.stateAfter().whole),
      }),
      failure: () => (resumed.error === null ? null : `the resumed stream ended: ${describeEnd(resumed.error)}`),
      intervalMs: COMPARISON_INTERVAL_MS,
    });
    const [ours, theirs] = [caughtUp(), sorted(stage.stateAfter().whole)];
    expect(sorted(ours.whole)).toEqual(theirs);
    expect(withoutNulls(sorted(ours.patched))).toEqual(withoutNulls(theirs));
  }
}

/** Asserts that each transition starts in the state that the previous one reached. */
function expectChained(stage: Stage, serverId: string): void {
  const changes = stage.changesOf(serverId);
  for (const [index, change] of changes.entries()) {
    const before = changes[index - 1];
    expect(change.previousStatus).toBe(before?.status ?? 'ONLINE');
    expect(change.previousCircuitState).toBe(before?.circuitState ?? 'CLOSED');
    const isChange = change.status !== change.previousStatus || change.circuitState !== change.previousCircuitState;
    expect(isChange).toBe(true);
  }
}

function firstDifference(ours: ReadonlyMap<string, unknown>, theirs: ReadonlyMap<string, unknown>): unknown {
  const id = [...new Set([...ours.keys(), ...theirs.keys()])].find(
    (one) => !isDeepStrictEqual(ours.get(one), theirs.get(one)),
  );
  return id === undefined ? null : { id, ours: ours.get(id), theirs: theirs.get(id) };
}

function sorted(agents: ReadonlyMap<string, unknown>): unknown {
  return Object.fromEntries([...agents].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
