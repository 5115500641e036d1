import type { Agent, McpServer, Notice, Restriction, Swarm, SwarmlensEvent } from '../model/index.js';
import { createView, maskAgent, matchesAgent, matchesServer, restrictView, type View } from '../state/index.js';

/** Of what kinds of notices about a server its single agents are no part. */
const ABOUT_SERVERS = /^(SERVER|RESTART|TOOL)_/;

/** How far somebody sees: what a restriction lets through of each kind of thing, one by one. */
export class AccessFilter {
  readonly view: View;
  readonly #restriction: Restriction;

  constructor(restriction: Restriction) {
    this.#restriction = restriction;
    this.view = restrictView(createView(), restriction);
  }

  /** Whether it may have agents that are seen. */
  allowsServer(server: Pick<McpServer, 'id' | 'agentServerTypes'>): boolean {
    return matchesServer(this.view, server);
  }

  /** Whether all agents that a server can have are seen, and so whatever it says of them. */
  allowsAllAgentsOf({ agentServerTypes }: Pick<McpServer, 'agentServerTypes'>): boolean {
    const { serverTypes, agentTypes, swarmIds } = this.view;
    return (
      agentTypes === null && swarmIds === null && agentServerTypes.every((family) => serverTypes?.has(family) ?? true)
    );
  }

  /** Whether there is nothing that its tools could answer and that is not seen. */
  allowsToolResultsOf(server: Pick<McpServer, 'agentServerTypes'>): boolean {
    return this.allowsAllAgentsOf(server) && this.#restriction.performance && this.#restriction.neural;
  }

  /** Whether all servers are seen, those that are yet to come included. */
  get allowsAllServers(): boolean {
    const { serverIds, serverTypes, swarmIds, agentTypes } = this.view;
    return serverIds === null && serverTypes === null && swarmIds === null && agentTypes?.size !== 0;
  }

  allowsAgent(agent: Agent): boolean {
    return matchesAgent(this.view, agent);
  }

  allowsSwarm({ id, serverId, serverType }: Swarm): boolean {
    const { serverIds, serverTypes } = this.view;
    return (serverIds?.has(serverId) ?? true) && (serverTypes?.has(serverType) ?? true) && this.allowsSwarmId(id);
  }

  /** As far as the id of a swarm tells. */
  allowsSwarmId(id: string): boolean {
    return this.view.swarmIds?.has(id) ?? true;
  }

  /** What a server says in words may be about any of its agents. */
  filterServer(server: McpServer): McpServer {
    return this.allowsAllAgentsOf(server) ? server : { ...server, lastError: null };
  }

  /** What a swarm counts, it counts over all its agents, and of what they did. */
  filterSwarm(swarm: Swarm): Swarm {
    if (this.view.agentTypes === null && this.#restriction.performance) return swarm;
    return { ...swarm, tasksTotal: null, tasksActive: null, tasksCompleted: null };
  }

  /**
   * @param swarmId `null`: the agent's swarm is not seen
   * @returns the same object as long as the agent is the same, where only performance and neural data are left out
   */
  filterAgent(agent: Agent, swarmId: string | null, topology: Agent['topology']): Agent {
    const seen = maskAgent(this.view, agent);
    return swarmId === agent.swarmId && topology === agent.topology ? seen : { ...seen, swarmId, topology };
  }

  /** @param server that it is about, when that is seen; `null`: it is not seen, or none */
  filterEvent(event: SwarmlensEvent, server: McpServer | null): readonly SwarmlensEvent[] {
    if (event.serverId === null) return this.allowsAllServers ? [event] : [];
    if (server === null) return [];
    if (this.allowsAllAgentsOf(server)) return [event];
    return event.type === 'health' ? [{ ...event, reason: null }] : withoutWords(event, event.serverId);
  }
}

function withoutWords(notice: Notice, serverId: string): readonly Notice[] {
  if (!ABOUT_SERVERS.test(notice.code)) return [];
  return [{ ...notice, message: `${serverId}: ${notice.code}. The details are for those who see all of its agents.` }];
}
