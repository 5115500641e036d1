import { z } from 'zod';
import type { ToolFailure } from '../../model/index.js';
import type { AdapterContext } from '../adapter.js';
import * as field from '../responses/value-schemas.js';
import { collectFailures, PolledTool, parseResponse, TEN_HZ_INTERVAL_MS, settleAll } from '../polled-tool.js';

/** Agents of ruv-swarm stay in the swarm that they were born in: without a newcomer there is hardly anything to see. */
const MIN_INTERVAL_MS = 1000;

export interface MembershipRequest {
  readonly swarmIds: readonly string[];
  /** All agents that the server lists. */
  readonly agentIds: readonly string[];
  /** One of them was not listed before. */
  readonly isNew: boolean;
}

/** Which swarm each agent belongs to: `agent_list` with a `swarmId`, an argument that it takes but does not announce. */
export class SwarmMembers {
  readonly #context: AdapterContext;
  readonly #tools = new Map<string, PolledTool<readonly string[]>>();

  constructor(context: AdapterContext) {
    this.#context = context;
  }

  get failure(): ToolFailure | null {
    return collectFailures(this.#tools.values())[0] ?? null;
  }

  /** Native id of the agent → native id of its swarm, of those that are given. */
  membership(swarmIds: readonly string[]): ReadonlyMap<string, string> {
    const placement = new Map<string, string>();
    for (const swarmId of swarmIds) {
      for (const id of this.#tools.get(swarmId)?.current ?? []) if (!placement.has(id)) placement.set(id, swarmId);
    }
    return placement;
  }

  /** @throws when the server could not be asked */
  async refresh(wanted: MembershipRequest, signal: AbortSignal): Promise<void> {
    const present = new Set(wanted.swarmIds);
    for (const id of this.#tools.keys()) if (!present.has(id)) this.#tools.delete(id);
    for (const id of present) this.#laneOf(id);
    const placement = this.membership(wanted.swarmIds);
    const isUnplaced = wanted.agentIds.some((id) => !placement.has(id));
    const minIntervalMs = wanted.isNew ? 0 : isUnplaced ? TEN_HZ_INTERVAL_MS : MIN_INTERVAL_MS;
    await settleAll([...this.#tools.values()].map((lane) => lane.refresh(signal, minIntervalMs)));
  }

  /** Takes in who a swarm's members are. @throws AnswerError when the answer as a whole does not fit */
  accept(swarmId: string, answer: unknown): boolean {
    return this.#tools.get(swarmId)?.accept(answer) ?? false;
  }

  /** Takes in that an agent is a member of a swarm; until the next poll it may be the only one that is known. */
  addMember(agentId: string, swarmId: string): void {
    this.#laneOf(swarmId).update((ids) => (ids.includes(agentId) ? ids : [...ids, agentId]), []);
  }

  #laneOf(swarmId: string): PolledTool<readonly string[]> {
    const known = this.#tools.get(swarmId);
    if (known !== undefined) return known;
    const lane = this.#laneFor(swarmId);
    this.#tools.set(swarmId, lane);
    return lane;
  }

  #laneFor(swarmId: string): PolledTool<readonly string[]> {
    return new PolledTool(this.#context, {
      tool: 'agent_list',
      args: { swarmId },
      minIntervalMs: MIN_INTERVAL_MS,
      read: (answer) => {
        const { agents } = parseResponse(z.object({ agents: z.array(z.unknown()) }), answer);
        // What is malformed here is malformed in the full list too, and counted there.
        return agents.flatMap((agent) => memberSchema.safeParse(agent).data?.id ?? []);
      },
    });
  }
}

const memberSchema = z.object({ id: field.id });
