import type { Agent, McpServer, Notice, Restriction, Swarm, SwarmlensEvent } from '../domain/index.js';
import { createView, maskAgent, matchesAgent, matchesServer, restrictView, type View } from '../state/index.js';

/** Of what kinds of notices about a server its single agents are no part. */
const ABOUT_SERVERS = /^(SERVER|RESTART|TOOL)_/;

/** How far somebody sees: what a restriction lets through of each kind of thing, one by one. */
export class Extent {
  readonly view: View;
  readonly #restriction: Restriction;

  constructor(restriction: Restriction) {
    this.#restriction = restriction;
    this.view = restrictView(createView(), restriction);
  }

  /** Whether it may have agents that are seen. */
  hasServer(server: Pick<McpServer, 'id' | 'families'>): boolean {
    return matchesServer(this.view, server);
  }

  /** Whether all agents that a server can have are seen, and so whatever it says of them. */
  hasAllOf({ families }: Pick<McpServer, 'families'>): boolean {
    const { serverTypes, agentTypes, swarmIds } = this.view;
    return agentTypes === null && swarmIds === null && families.every((family) => serverTypes?.has(family) ?? true);
  }

  /** Whether there is nothing that its tools could answer and that is not seen. */
  hasAnswersOf(server: Pick<McpServer, 'families'>): boolean {
    return this.hasAllOf(server) && this.#restriction.performance && this.#restriction.neural;
  }

  /** Whether all servers are seen, those that are yet to come included. */
  get hasAllServers(): boolean {
    const { serverIds, serverTypes, swarmIds, agentTypes } = this.view;
    return serverIds === null && serverTypes === null && swarmIds === null && agentTypes?.size !== 0;
  }

  hasAgent(agent: Agent): boolean {
    return matchesAgent(this.view, agent);
  }

  hasSwarm({ id, serverId, serverType }: Swarm): boolean {
    const { serverIds, serverTypes } = this.view;
    return (serverIds?.has(serverId) ?? true) && (serverTypes?.has(serverType) ?? true) && this.hasSwarmId(id);
  }

  /** As far as the id of a swarm tells. */
  hasSwarmId(id: string): boolean {
    return this.view.swarmIds?.has(id) ?? true;
  }

  /** What a server says in words may be about any of its agents. */
  serverSeen(server: McpServer): McpServer {
    return this.hasAllOf(server) ? server : { ...server, lastError: null };
  }

  /** What a swarm counts, it counts over all its agents, and of what they did. */
  swarmSeen(swarm: Swarm): Swarm {
    if (this.view.agentTypes === null && this.#restriction.performance) return swarm;
    return { ...swarm, tasksTotal: null, tasksActive: null, tasksCompleted: null };
  }

  /**
   * @param swarmId `null`: the agent's swarm is not seen
   * @returns the same object as long as the agent is the same, where only performance and neural data are left out
   */
  agentSeen(agent: Agent, swarmId: string | null, topology: Agent['topology']): Agent {
    const seen = maskAgent(this.view, agent);
    return swarmId === agent.swarmId && topology === agent.topology ? seen : { ...seen, swarmId, topology };
  }

  /** @param server that it is about, when that is seen; `null`: it is not seen, or none */
  eventSeen(event: SwarmlensEvent, server: McpServer | null): readonly SwarmlensEvent[] {
    if (event.serverId === null) return this.hasAllServers ? [event] : [];
    if (server === null) return [];
    if (this.hasAllOf(server)) return [event];
    return event.type === 'health' ? [{ ...event, reason: null }] : withoutWords(event, event.serverId);
  }
}

function withoutWords(notice: Notice, serverId: string): readonly Notice[] {
  if (!ABOUT_SERVERS.test(notice.code)) return [];
  return [{ ...notice, message: `${serverId}: ${notice.code}. The details are for those who see all of its agents.` }];
}
