import { NULL_AGENT_FIELDS, NULL_AGENT_OBJECTS } from './generated/agent-nulls.js';
import type { AgentFragment } from './generated/operations.js';
import { applyMergePatch } from './merge-patch.js';

/** Agent with every field of the schema. */
export type Agent = AgentFragment;

/** Part of an `AgentUpdate` that changes a map of agents. Needs `agents`, `patches` or both. */
export interface AgentUpdateInput {
  readonly kind: 'SNAPSHOT' | 'DELTA';
  readonly agents?: readonly Agent[];
  readonly patches?: readonly { readonly id: string; readonly patch: unknown }[];
  readonly removedAgentIds: readonly string[];
}

/**
 * Returns the agents after an update. Does not modify `previous`, and returns it if the update changes nothing. Unchanged
 * agents keep their object identity.
 *
 * @param previous agents after the preceding update, or the agents at the cursor if the stream began with `after`
 * @throws TypeError if the update is a SNAPSHOT without `agents`, because the cursor of a patch stream was too old
 */
export function applyAgentUpdate(
  previous: ReadonlyMap<string, Agent>,
  update: AgentUpdateInput,
): ReadonlyMap<string, Agent> {
  const { kind, agents, patches, removedAgentIds } = update;
  if (kind === 'SNAPSHOT') {
    if (agents === undefined) {
      throw new TypeError('A SNAPSHOT has no `agents`. Subscribe without `after` and select `agents`.');
    }
    return new Map(agents.map((agent) => [agent.id, agent]));
  }
  const changed = patches ?? agents ?? [];
  if (changed.length === 0 && removedAgentIds.length === 0) return previous;
  const next = new Map(previous);
  if (patches === undefined) for (const agent of agents ?? []) next.set(agent.id, agent);
  for (const { id, patch } of patches ?? []) next.set(id, applyPatch(next.get(id), patch));
  for (const id of removedAgentIds) next.delete(id);
  return next;
}

/** Restores the nulls that a query returns. A merge patch deletes a key instead of setting it to null. */
function applyPatch(agent: Agent | undefined, patch: unknown): Agent {
  const merged = applyMergePatch(agent, patch) as Partial<Agent>; // the server's patches have the shape of Agent
  const objects = Object.entries(NULL_AGENT_OBJECTS).map(([key, nulls]) => {
    const value = merged[key as keyof typeof NULL_AGENT_OBJECTS]; // a key of the object that is iterated
    return [key, value == null ? null : { ...nulls, ...value }];
  });
  return { ...NULL_AGENT_FIELDS, ...merged, ...Object.fromEntries(objects) } as Agent; // every key is set now
}
