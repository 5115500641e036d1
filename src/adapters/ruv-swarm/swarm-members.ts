import { z } from 'zod';
import type { ToolFailure } from '../../model/index.js';
import type { AdapterContext } from '../adapter.js';
import type { RecordReader } from '../responses/record-reader.js';
import * as field from '../responses/value-schemas.js';
import { collectProblems, PolledTool, TEN_HZ_INTERVAL_MS, settleAll } from '../polled-tool.js';
import { listIn } from '../responses/parse-response.js';

/** Minimum interval without new agents. Agents never change their swarm, so updates are rarely needed. */
const MIN_INTERVAL_MS = 1000;
/** Maximum number of swarms whose members one poll fetches. The following polls fetch the others. */
const MAX_SWARMS_PER_POLL = 64;

/** Swarms and agents whose membership is needed. */
export interface MembershipRequest {
  readonly swarmIds: readonly string[];
  /** Native ids of all agents of the server. */
  readonly agentIds: readonly string[];
  /** Whether the previous poll did not list one of the agents. */
  readonly isNew: boolean;
}

/** Resolves the swarm of each agent with `agent_list` and `swarmId`, an argument missing in the tool's schema. */
export class SwarmMembers {
  readonly #context: AdapterContext;
  readonly #records: RecordReader;
  readonly #tools = new Map<string, PolledTool<readonly string[]>>();

  constructor(context: AdapterContext, records: RecordReader) {
    this.#context = context;
    this.#records = records;
  }

  get failure(): ToolFailure | null {
    return collectProblems(this.#tools.values()).failures[0] ?? null;
  }

  get omission(): ToolFailure | null {
    return collectProblems(this.#tools.values()).omissions?.[0] ?? null;
  }

  /** Returns the native swarm ids of the agents in the given swarms, by native agent id. */
  membership(swarmIds: readonly string[]): ReadonlyMap<string, string> {
    const membership = new Map<string, string>();
    for (const swarmId of swarmIds) {
      for (const id of this.#tools.get(swarmId)?.current ?? []) if (!membership.has(id)) membership.set(id, swarmId);
    }
    return membership;
  }

  /**
   * Refreshes the members of the requested swarms that are due.
   * @throws if the server cannot be reached
   */
  async refresh(request: MembershipRequest, signal: AbortSignal): Promise<void> {
    const present = new Set(request.swarmIds);
    for (const id of this.#tools.keys()) if (!present.has(id)) this.#tools.delete(id);
    for (const id of present) this.#toolFor(id);
    const membership = this.membership(request.swarmIds);
    const hasUnknownMember = request.agentIds.some((id) => !membership.has(id));
    const minIntervalMs = request.isNew ? 0 : hasUnknownMember ? TEN_HZ_INTERVAL_MS : MIN_INTERVAL_MS;
    const due = [...this.#tools.values()].filter((tool) => tool.isDue(minIntervalMs));
    if (due.length > MAX_SWARMS_PER_POLL) {
      due.sort((a, b) => (a.requestedAtMs ?? -Infinity) - (b.requestedAtMs ?? -Infinity));
    }
    await settleAll(due.slice(0, MAX_SWARMS_PER_POLL).map((tool) => tool.refresh(signal, minIntervalMs)));
  }

  /**
   * Applies an observed list of members. Returns false if the swarm is unknown.
   * @throws UnusableResponseError if the list is malformed
   */
  accept(swarmId: string, response: unknown): boolean {
    return this.#tools.get(swarmId)?.accept(response) ?? false;
  }

  /** Adds an agent to a swarm. Until the next poll, it may be the only known member. */
  addMember(agentId: string, swarmId: string): void {
    this.#toolFor(swarmId).update((ids) => (ids.includes(agentId) ? ids : [...ids, agentId]), []);
  }

  #toolFor(swarmId: string): PolledTool<readonly string[]> {
    const existing = this.#tools.get(swarmId);
    if (existing !== undefined) return existing;
    const created = this.#createTool(swarmId);
    this.#tools.set(swarmId, created);
    return created;
  }

  #createTool(swarmId: string): PolledTool<readonly string[]> {
    return new PolledTool(this.#context, {
      tool: 'agent_list',
      records: this.#records,
      args: { swarmId },
      minIntervalMs: MIN_INTERVAL_MS,
      read: (response) => {
        const agents = listIn(response, 'agents');
        // Malformed agents are already counted in the complete list.
        const listed = this.#records.limit({ tool: 'agent_list', path: 'agents' }, agents);
        return listed.flatMap((agent) => memberSchema.safeParse(agent).data?.id ?? []);
      },
    });
  }
}

const memberSchema = z.object({ id: field.id });
