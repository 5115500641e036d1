import type { AgentFragment } from './generated/operations.js';
import { applyMergePatch } from './merge-patch.js';

/** An agent with all that the schema tells of it. */
export type Agent = AgentFragment;

/** The part of an `AgentUpdate` that changes a picture. `agents`, `patches` or both are selected. */
export interface AgentUpdateInput {
  readonly kind: 'SNAPSHOT' | 'DELTA';
  readonly agents?: readonly Agent[];
  readonly patches?: readonly { readonly id: string; readonly patch: unknown }[];
  readonly removedAgentIds: readonly string[];
}

/**
 * The picture after an update. `picture` is the one after the update before, or, for a stream that began with `after`,
 * the one that belongs to that cursor; a SNAPSHOT replaces it, whatever it was. It is never changed, and is itself the
 * answer when the update changes nothing.
 *
 * @throws TypeError the update is a SNAPSHOT and `agents` is not selected: the cursor was too old for patches alone
 */
export function applyAgentUpdate(
  picture: ReadonlyMap<string, Agent>,
  update: AgentUpdateInput,
): ReadonlyMap<string, Agent> {
  const { kind, agents, patches, removedAgentIds } = update;
  if (kind === 'SNAPSHOT') {
    if (agents === undefined) throw new TypeError('a SNAPSHOT without `agents`: begin again without `after`');
    return new Map(agents.map((agent) => [agent.id, agent]));
  }
  const changed = patches ?? agents ?? [];
  if (changed.length === 0 && removedAgentIds.length === 0) return picture;
  const next = new Map(picture);
  if (patches === undefined) for (const agent of agents ?? []) next.set(agent.id, agent);
  for (const { id, patch } of patches ?? []) next.set(id, patched(next.get(id), patch));
  for (const id of removedAgentIds) next.delete(id);
  return next;
}

function patched(agent: Agent | undefined, patch: unknown): Agent {
  const merged = applyMergePatch(agent, patch) as Partial<Agent>; // the server's patches have the Agent type's shape
  const { performance, neural, topology } = merged;
  return {
    ...NULLABLE,
    ...merged,
    performance: performance == null ? null : { ...PERFORMANCE, ...performance },
    neural: neural == null ? null : { ...NEURAL, ...neural },
    topology: topology == null ? null : { ...TOPOLOGY, ...topology },
  } as Agent; // with the nulls, every key is there that a query answers
}

// A merge patch cannot write null, it deletes the key; a query answers null where there is no value.
const NULLABLE = { swarmId: null, createdAt: null, lastActiveAt: null };
const PERFORMANCE: NonNullable<Agent['performance']> = {
  cpuUsage: null,
  memoryUsage: null,
  healthScore: null,
  activityLevel: null,
  tasksActive: null,
  tasksCompleted: null,
  tasksFailed: null,
  successRate: null,
  tokenUsage: null,
  tokenRate: null,
  responseTimeMs: null,
  throughput: null,
};
const NEURAL: NonNullable<Agent['neural']> = {
  cognitivePattern: null,
  networkId: null,
  adaptations: null,
  learningRate: null,
};
const TOPOLOGY = { role: null, parentId: null, depth: null };
