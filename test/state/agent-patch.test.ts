import { describe, expect, test } from 'vitest';
import {
  type Agent,
  type AgentActivity,
  type AgentUsage,
  type ContextWindow,
  UNKNOWN_NEURAL,
  UNKNOWN_PERFORMANCE,
} from '../../src/model/index.js';
import {
  agentsEqual,
  excludedPartsPatch,
  fullPatch,
  hasVisibleChange,
  includeChangePatch,
  patchSince,
  stampChangedFields,
} from '../../src/state/agent-patch.js';
import { createView } from '../../src/state/index.js';
import { agentWith } from './fixed-state.js';

const TOPOLOGY = { role: 'worker', parentId: null, depth: 1, degree: 1, inferred: false };
const ACTIVITY: AgentActivity = {
  kind: 'TOOL',
  label: 'Bash',
  detail: null,
  since: 'then',
  waitingFor: null,
  inferred: false,
};
const USAGE: AgentUsage = {
  inputTokens: 1,
  outputTokens: 2,
  cacheReadTokens: 3,
  cacheWriteTokens: 4,
  totalTokens: 10,
  costUsd: 0.5,
  costEstimated: true,
  complete: false,
};
const CONTEXT: ContextWindow = { usedTokens: 1, limitTokens: 4, usedRatio: 0.25 };
const FULL = agentWith('a', {
  activity: ACTIVITY,
  usage: USAGE,
  context: CONTEXT,
  performance: { ...UNKNOWN_PERFORMANCE, healthScore: 1 },
  neural: { ...UNKNOWN_NEURAL, adaptations: 1 },
  topology: TOPOLOGY,
});

/** A change of each field that readers can receive, with its path in a patch. */
const CHANGES: readonly (readonly [string, Partial<Agent>])[] = [
  ['serverType', { serverType: 'DAA' }],
  ['swarmId', { swarmId: 'x:s' }],
  ['parentId', { parentId: 'x:b' }],
  ['name', { name: 'other' }],
  ['title', { title: 'other' }],
  ['workspace', { workspace: 'other' }],
  ['type', { type: 'queen' }],
  ['status', { status: 'BUSY' }],
  ['capabilities', { capabilities: ['review'] }],
  ['model', { model: 'opus' }],
  ['currentTaskId', { currentTaskId: 'x:task-1' }],
  ['stale', { stale: true }],
  ['simulated', { simulated: true }],
  ['createdAt', { createdAt: 'now' }],
  ['lastActiveAt', { lastActiveAt: 'now' }],
  ['activity.kind', { activity: { ...ACTIVITY, kind: 'MODEL' } }],
  ['activity.label', { activity: { ...ACTIVITY, label: 'Edit' } }],
  ['activity.detail', { activity: { ...ACTIVITY, detail: 'a file' } }],
  ['activity.since', { activity: { ...ACTIVITY, since: 'now' } }],
  ['activity.waitingFor', { activity: { ...ACTIVITY, waitingFor: 'PERMISSION' } }],
  ['activity.inferred', { activity: { ...ACTIVITY, inferred: true } }],
  ['usage.inputTokens', { usage: { ...USAGE, inputTokens: 9 } }],
  ['usage.outputTokens', { usage: { ...USAGE, outputTokens: 9 } }],
  ['usage.cacheReadTokens', { usage: { ...USAGE, cacheReadTokens: 9 } }],
  ['usage.cacheWriteTokens', { usage: { ...USAGE, cacheWriteTokens: 9 } }],
  ['usage.totalTokens', { usage: { ...USAGE, totalTokens: 9 } }],
  ['usage.costUsd', { usage: { ...USAGE, costUsd: 9 } }],
  ['usage.costEstimated', { usage: { ...USAGE, costEstimated: false } }],
  ['usage.complete', { usage: { ...USAGE, complete: true } }],
  ['context.usedTokens', { context: { ...CONTEXT, usedTokens: 9 } }],
  ['context.limitTokens', { context: { ...CONTEXT, limitTokens: 9 } }],
  ['context.usedRatio', { context: { ...CONTEXT, usedRatio: 0 } }],
  ['performance.healthScore', { performance: { ...UNKNOWN_PERFORMANCE, healthScore: 0 } }],
  ['neural.adaptations', { neural: { ...UNKNOWN_NEURAL, adaptations: 2 } }],
  ['topology.role', { topology: { ...TOPOLOGY, role: 'queen' } }],
  ['topology.parentId', { topology: { ...TOPOLOGY, parentId: 'x:b' } }],
  ['topology.depth', { topology: { ...TOPOLOGY, depth: 0 } }],
  ['topology.degree', { topology: { ...TOPOLOGY, degree: 2 } }],
  ['topology.inferred', { topology: { ...TOPOLOGY, inferred: true } }],
];

function revisionsOf(...agents: readonly Agent[]): number[] {
  const revisions: number[] = [];
  for (const [index, agent] of agents.entries())
    stampChangedFields(revisions, agents[index - 1] ?? null, agent, index + 1);
  return revisions;
}

/** Returns the paths of all values of a patch. */
function pathsOf(patch: object, prefix = ''): string[] {
  return Object.entries(patch).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? pathsOf(value, `${prefix}${name}.`)
      : [`${prefix}${name}`],
  );
}

describe('fields of agents', () => {
  test.each(CHANGES)('differ in %s, and a patch holds only that field', (path, change) => {
    const changed = { ...FULL, ...change };
    expect(agentsEqual(FULL, changed)).toBe(false);
    const revisions = revisionsOf(FULL, changed);
    expect(pathsOf(patchSince(changed, revisions, createView(), 1))).toEqual([path]);
    expect(patchSince(changed, revisions, createView(), 2)).toEqual({});
    expect([0, 1, 2].map((revision) => hasVisibleChange(revisions, createView(), revision))).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('are equal when only the time of the report or the object differs', () => {
    const again = { ...FULL, lastSeenAt: 'later', capabilities: [], topology: { ...TOPOLOGY } };
    expect(agentsEqual(FULL, again)).toBe(true);
    expect(hasVisibleChange(revisionsOf(FULL, again), createView(), 1)).toBe(false);
  });

  test('differ when a list has other entries, another order or another length', () => {
    const lists = [[], ['a'], ['b'], ['a', 'b'], ['b', 'a']];
    for (const one of lists) {
      for (const other of lists) {
        const [before, after] = [agentWith('a', { capabilities: one }), agentWith('a', { capabilities: [...other] })];
        expect(agentsEqual(before, after)).toBe(one === other);
        expect(hasVisibleChange(revisionsOf(before, after), createView(), 1)).toBe(one !== other);
      }
    }
  });

  test.each(['activity', 'usage', 'context', 'performance', 'neural', 'topology'] as const)(
    'differ when %s appears or disappears',
    (part) => {
      const without = { ...FULL, [part]: null };
      expect([agentsEqual(FULL, without), agentsEqual(without, FULL), agentsEqual(without, { ...without })]).toEqual([
        false,
        false,
        true,
      ]);
      expect(patchSince(without, revisionsOf(FULL, without), createView(), 1)).toEqual({ [part]: null });
      expect(patchSince(FULL, revisionsOf(without, FULL), createView(), 1)).toEqual({ [part]: FULL[part] });
      expect(patchSince(without, revisionsOf(without, { ...without }), createView(), 1)).toEqual({});
    },
  );

  test.each([
    ['includePerformance', 'performance', { usage: null, context: null }],
    ['includePerformance', 'usage', { performance: null, context: null }],
    ['includePerformance', 'context', { performance: null, usage: null }],
    ['includeNeural', 'neural', {}],
    ['includeTopology', 'topology', {}],
  ] as const)('of a view without %s lack the part %s in every patch', (option, part, others) => {
    const view = createView({ [option]: false });
    const without = { ...FULL, [part]: null };
    const revisions = revisionsOf(FULL, without);
    expect(hasVisibleChange(revisions, view, 1)).toBe(false);
    expect(patchSince(without, revisions, view, 1)).toEqual({});
    expect(fullPatch(FULL, view)).not.toHaveProperty(part);
    expect(fullPatch(FULL, createView())).toEqual(FULL);
    const before = { revision: 2, view: createView() };
    expect(excludedPartsPatch(createView(), view)).toEqual({ [part]: null, ...others });
    expect(excludedPartsPatch(view, createView())).toEqual({});
    // A reader that never had the part does not need its removal.
    expect(includeChangePatch(without, revisions, before, view)).toEqual(others);
    expect(includeChangePatch(without, revisions, { ...before, revision: 1 }, view)).toEqual({
      [part]: null,
      ...others,
    });
    expect(includeChangePatch(FULL, revisionsOf(FULL), before, view)).toEqual({ [part]: null, ...others });
    const included = Object.fromEntries(Object.entries(FULL).filter(([name]) => name === part || name in others));
    expect(includeChangePatch(FULL, revisions, { ...before, view }, createView())).toEqual(included);
    expect(includeChangePatch(without, revisions, { ...before, view }, createView())).not.toHaveProperty(part);
    expect(includeChangePatch(FULL, revisions, { ...before, view }, view)).toEqual({});
  });

  test('are all in the patch of a new agent', () => {
    const revisions = revisionsOf(FULL);
    const names = ['serverType', 'swarmId', 'name', 'type', 'status', 'capabilities', 'stale', 'simulated'];
    expect(patchSince(FULL, revisions, createView(), 0)).toEqual({
      ...Object.fromEntries(Object.entries(FULL).filter(([name]) => names.includes(name))),
      parentId: null,
      title: null,
      workspace: null,
      model: null,
      currentTaskId: null,
      createdAt: null,
      lastActiveAt: null,
      activity: ACTIVITY,
      usage: USAGE,
      context: CONTEXT,
      performance: FULL.performance,
      neural: FULL.neural,
      topology: FULL.topology,
    });
  });
});
