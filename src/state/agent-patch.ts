import type { Agent } from '../model/index.js';
import type { CursorPosition } from './cursor.js';
import type { View } from './view.js';

/** A JSON Merge Patch (RFC 7396) on an agent: changed fields only, `null` where a value is no longer known. */
export type MergePatch = Readonly<Record<string, unknown>>;

type Group = 'performance' | 'neural' | 'topology';

interface AgentField {
  readonly group: Group | null;
  readonly name: string;
  read(agent: Agent): unknown;
}

/**
 * Every field that can change, each with a revision of its own. `lastSeenAt` is not among them: that a server
 * reports an agent once more is no change of the agent.
 */
const FIELDS: readonly AgentField[] = [
  field((agent) => agent.serverType, 'serverType'),
  field((agent) => agent.swarmId, 'swarmId'),
  field((agent) => agent.name, 'name'),
  field((agent) => agent.type, 'type'),
  field((agent) => agent.status, 'status'),
  field((agent) => agent.capabilities, 'capabilities'),
  field((agent) => agent.stale, 'stale'),
  field((agent) => agent.simulated, 'simulated'),
  field((agent) => agent.createdAt, 'createdAt'),
  field((agent) => agent.lastActiveAt, 'lastActiveAt'),
  field((agent) => agent.performance?.cpuUsage, 'cpuUsage', 'performance'),
  field((agent) => agent.performance?.memoryUsage, 'memoryUsage', 'performance'),
  field((agent) => agent.performance?.healthScore, 'healthScore', 'performance'),
  field((agent) => agent.performance?.activityLevel, 'activityLevel', 'performance'),
  field((agent) => agent.performance?.tasksActive, 'tasksActive', 'performance'),
  field((agent) => agent.performance?.tasksCompleted, 'tasksCompleted', 'performance'),
  field((agent) => agent.performance?.tasksFailed, 'tasksFailed', 'performance'),
  field((agent) => agent.performance?.successRate, 'successRate', 'performance'),
  field((agent) => agent.performance?.tokenUsage, 'tokenUsage', 'performance'),
  field((agent) => agent.performance?.tokenRate, 'tokenRate', 'performance'),
  field((agent) => agent.performance?.responseTimeMs, 'responseTimeMs', 'performance'),
  field((agent) => agent.performance?.throughput, 'throughput', 'performance'),
  field((agent) => agent.neural?.cognitivePattern, 'cognitivePattern', 'neural'),
  field((agent) => agent.neural?.networkId, 'networkId', 'neural'),
  field((agent) => agent.neural?.adaptations, 'adaptations', 'neural'),
  field((agent) => agent.neural?.learningRate, 'learningRate', 'neural'),
  field((agent) => agent.topology?.role, 'role', 'topology'),
  field((agent) => agent.topology?.parentId, 'parentId', 'topology'),
  field((agent) => agent.topology?.depth, 'depth', 'topology'),
  field((agent) => agent.topology?.degree, 'degree', 'topology'),
  field((agent) => agent.topology?.inferred, 'inferred', 'topology'),
];

const GROUPS: readonly Group[] = ['performance', 'neural', 'topology'];

function field(read: (agent: Agent) => unknown, name: string, group: Group | null = null): AgentField {
  return { group, name, read };
}

/** Whether anything differs that a reader could be told about. */
export function agentsEqual(a: Agent, b: Agent): boolean {
  return a === b || FIELDS.every((one) => sameValue(one.read(a), one.read(b)));
}

/** Writes `revision` for each field in which `next` differs from `previous`; for all of them when there was none. */
export function stampChangedFields(
  fieldRevisions: number[],
  previous: Agent | null,
  next: Agent,
  revision: number,
): void {
  FIELDS.forEach((one, index) => {
    if (previous === null || !sameValue(one.read(previous), one.read(next))) fieldRevisions[index] = revision;
  });
}

/** Whether a field that the view lets through changed after `revision`. */
export function hasVisibleChange(fieldRevisions: readonly number[], view: View, revision: number): boolean {
  return FIELDS.some((one, index) => (fieldRevisions[index] ?? 0) > revision && included(view, one.group));
}

/** The patch that takes a reader of `view` from `revision` to `agent`. */
export function patchSince(agent: Agent, fieldRevisions: readonly number[], view: View, revision: number): MergePatch {
  const patch: Record<string, unknown> = {};
  FIELDS.forEach((one, index) => {
    if ((fieldRevisions[index] ?? 0) <= revision || !included(view, one.group)) return;
    if (one.group === null) patch[one.name] = one.read(agent);
    else if (agent[one.group] === null) patch[one.group] = null;
    else patch[one.group] = { ...groupPatch(patch[one.group]), [one.name]: one.read(agent) ?? null };
  });
  return patch;
}

/** What a reader's picture of an agent gains and loses by its include switches, on its way from `before` to `now`. */
export function includeChangePatch(
  agent: Agent,
  fieldRevisions: readonly number[],
  before: CursorPosition,
  now: View,
): MergePatch {
  const patch: Record<string, unknown> = {};
  for (const group of GROUPS) {
    const value = agent[group];
    const wasIncluded = included(before.view, group);
    if (wasIncluded === included(now, group)) continue;
    if (!wasIncluded) {
      if (value !== null) patch[group] = value;
    } else if (value !== null || groupChanged(fieldRevisions, group, before.revision)) {
      patch[group] = null;
    }
  }
  return patch;
}

/** What a reader has of any agent and is to have no longer. */
export function excludedPartsPatch(before: View, now: View): MergePatch {
  return Object.fromEntries(
    GROUPS.filter((group) => included(before, group) && !included(now, group)).map((group) => [group, null]),
  );
}

function groupChanged(fieldRevisions: readonly number[], group: Group, revision: number): boolean {
  return FIELDS.some((one, index) => one.group === group && (fieldRevisions[index] ?? 0) > revision);
}

/** The patch that makes the agent out of nothing, or out of anything that had its id. */
export function fullPatch(agent: Agent, view: View): MergePatch {
  const { performance, neural, topology, ...rest } = agent;
  return {
    ...rest,
    ...(view.includePerformance && { performance }),
    ...(view.includeNeural && { neural }),
    ...(view.includeTopology && { topology }),
  };
}

function included(view: View, group: Group | null): boolean {
  switch (group) {
    case null:
      return true;
    case 'performance':
      return view.includePerformance;
    case 'neural':
      return view.includeNeural;
    case 'topology':
      return view.includeTopology;
  }
}

function groupPatch(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

function sameValue(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, index) => value === b[index]);
  }
  return a === b;
}
