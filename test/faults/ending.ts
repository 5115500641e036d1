import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { AGENT_FIELDS, describeEnd, WirePicture } from '../support/app.js';
import { withoutNulls } from '../support/reader.js';
import { waitUntil } from '../support/wait.js';
import type { FaultyServer, Life } from './faulty-server.js';
import { LIST_TOOLS, listedIn, shownIn } from './own-lists.js';
import type { Stage } from './stage.js';
import { STEADY } from './steady.js';

/** Between two looks: looking all the time would slow the stream down. */
const BETWEEN_LOOKS_MS = 100;
/** Updates that a client comes back with the cursor of. */
const RESUMES = 4;

type Agents = Map<string, Record<string, unknown>>;

/**
 * After every fault: what the subscriber has is what a fresh query answers and what the servers say themselves; nothing
 * was told twice or left out on the way; the server beside them has noticed nothing.
 */
export async function expectWhole(stage: Stage, servers: readonly FaultyServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.order({ do: 'freeze' })));
  stage.steady.freeze();
  await stage.isStale();
  const kinds = new Map([
    [STEADY, 'ruv-swarm' as const],
    ...servers.map(({ name, life }) => [name, life.type] as const),
  ]);
  await expectPicture(stage, kinds);
  expectNoDuplicates(stage);
  await expectResumes(stage);
  for (const server of servers) expectChained(stage, server.name);
  expect(stage.health(STEADY)).toEqual([]);
  expect(stage.notices(STEADY)).toEqual([]);
}

/** The subscriber's picture is a fresh query's and the servers', once what was still under way has arrived. */
async function expectPicture(stage: Stage, kinds: ReadonlyMap<string, Life['type']>): Promise<void> {
  let seen = await look(stage, kinds);
  let isFirst = true;
  await waitUntil(
    async () => {
      if (!isFirst) seen = await look(stage, kinds);
      isFirst = false;
      return isSettled(seen);
    },
    {
      state: () => ({ own: seen.own, shown: seen.shown, difference: firstDifference(seen.picture.whole, seen.fresh) }),
      intervalMs: BETWEEN_LOOKS_MS,
    },
  );
  const { picture, fresh, own, shown } = seen;
  expect(sorted(picture.whole)).toEqual(sorted(fresh));
  expect(withoutNulls(sorted(picture.patched))).toEqual(withoutNulls(sorted(fresh)));
  expect(shown).toEqual(own);
  expect([...fresh.values()].filter(({ stale }) => stale !== false)).toEqual([]);
}

interface Seen {
  readonly picture: WirePicture;
  readonly fresh: Agents;
  /** Server, id and status of each agent that the servers list. */
  readonly own: readonly string[];
  /** The same of the subscriber's. */
  readonly shown: readonly string[];
}

/** Each server is asked for its list by a client's own call, after which it is polled once more. */
async function look(stage: Stage, kinds: ReadonlyMap<string, Life['type']>): Promise<Seen> {
  const own: string[] = [];
  for (const [serverId, kind] of kinds) {
    for (const tool of LIST_TOOLS[kind]) {
      own.push(...listedIn(await answerOf(stage, serverId, tool)).map((agent) => `${serverId}:${agent}`));
    }
  }
  const fresh = await freshAgents(stage);
  const picture = stage.picture();
  const shown = [...kinds.keys()].flatMap((serverId) =>
    shownIn(stage.agentsOf(serverId)).map((agent) => `${serverId}:${agent}`),
  );
  // claude-flow lists some workers of its hive twice.
  return { picture, fresh, own: [...new Set(own)].toSorted(), shown: shown.toSorted() };
}

function isSettled({ picture, fresh, own, shown }: Seen): boolean {
  return isDeepStrictEqual(sorted(picture.whole), sorted(fresh)) && isDeepStrictEqual(own, shown);
}

async function freshAgents(stage: Stage): Promise<Agents> {
  const data = await stage.ask(`{ agents { ${AGENT_FIELDS} } }`);
  const agents = data['agents'] as Record<string, unknown>[]; // as the schema has it
  return new Map(agents.map((agent) => [String(agent['id']), agent]));
}

async function answerOf(stage: Stage, serverId: string, tool: string): Promise<unknown> {
  const data = await stage.ask(
    'mutation Own($serverId: ID!, $tool: String!) { callTool(serverId: $serverId, tool: $tool) { content } }',
    { serverId, tool },
  );
  return (data['callTool'] as { content: unknown }).content; // as the schema has it
}

/** One snapshot, then changes; each id at most once in each, and removed only when it was there. */
function expectNoDuplicates({ stream }: Stage): void {
  const picture = new WirePicture();
  if (stream.cuts > 0) console.log(`the connection was cut ${stream.cuts} times`);
  for (const [index, update] of stream.data.entries()) {
    const { kind, agents, removedAgentIds } = update.agentUpdates;
    expect(kind).toBe(index === 0 ? 'SNAPSHOT' : 'DELTA');
    const named = [...agents.map(({ id }) => id), ...removedAgentIds];
    expect(new Set(named).size).toBe(named.length);
    // The first update after a cut also removes what was created and removed meanwhile.
    if (stream.cuts === 0) for (const id of removedAgentIds) expect(picture.whole.has(id)).toBe(true);
    picture.apply(update);
  }
}

/** A client that comes back with the cursor of any update is told what is missing, and then has what the others have. */
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
    const caughtUp = (): WirePicture => resumed.data.reduce((one, update) => one.apply(update), stage.picture(length));
    const isEven = (): boolean => isDeepStrictEqual(sorted(caughtUp().whole), sorted(stage.picture().whole));
    await waitUntil(isEven, {
      state: () => ({
        updates: resumed.data.length,
        difference: firstDifference(caughtUp().whole, stage.picture().whole),
      }),
      failure: () => (resumed.error === null ? null : `the resumed stream ended: ${describeEnd(resumed.error)}`),
      intervalMs: BETWEEN_LOOKS_MS,
    });
    const [ours, theirs] = [caughtUp(), sorted(stage.picture().whole)];
    expect(sorted(ours.whole)).toEqual(theirs);
    expect(withoutNulls(sorted(ours.patched))).toEqual(withoutNulls(theirs));
  }
}

/** Each transition starts where the one before ended: none is lost, none comes twice. */
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
