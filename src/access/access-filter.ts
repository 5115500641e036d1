import type {
  Agent,
  McpServer,
  McpServerType,
  Notice,
  OperationalEvent,
  Restriction,
  Swarm,
  Task,
} from '../model/index.js';
import {
  createView,
  maskAgent,
  matchesAgent,
  matchesServer,
  restrictView,
  showsAllAgentsOf,
  showsToolResultsOf,
  type View,
} from '../state/index.js';

/** Codes of notices about a server as a whole, whose code reveals nothing about single agents. */
const SERVER_NOTICE_CODES = /^(SERVER|RESTART|TOOL)_/;

/** Decides which items a restriction lets through, and removes hidden parts from the others. */
export class AccessFilter {
  readonly view: View;
  readonly #restriction: Restriction;

  constructor(restriction: Restriction) {
    this.#restriction = restriction;
    this.view = restrictView(createView(), restriction);
  }

  /** Whether a server may have visible agents. */
  allowsServer(server: Pick<McpServer, 'id' | 'agentServerTypes'>): boolean {
    return matchesServer(this.view, server);
  }

  /** Whether all possible agents of a server are visible, and therefore all texts about them. */
  allowsAllAgentsOf(server: Pick<McpServer, 'agentServerTypes'>): boolean {
    return showsAllAgentsOf(this.view, server);
  }

  /** Whether everything that the tools of a server can return is visible. */
  allowsToolResultsOf(server: Pick<McpServer, 'id' | 'agentServerTypes'>): boolean {
    return showsToolResultsOf(this.view, server);
  }

  /** Whether all servers are visible, including future ones. */
  get allowsAllServers(): boolean {
    const { serverIds, serverTypes, swarmIds, agentTypes } = this.view;
    return serverIds === null && serverTypes === null && swarmIds === null && agentTypes?.size !== 0;
  }

  allowsAgent(agent: Agent): boolean {
    return matchesAgent(this.view, agent);
  }

  allowsServerType(type: McpServerType): boolean {
    return this.view.serverTypes?.has(type) ?? true;
  }

  allowsSwarm({ id, serverId, serverType }: Swarm): boolean {
    const { serverIds } = this.view;
    return (serverIds?.has(serverId) ?? true) && this.allowsServerType(serverType) && this.allowsSwarmId(id);
  }

  /**
   * Whether a task is visible. A restriction to swarms lets a task through if its swarm is allowed, and a task without a swarm
   * if one of its agents is visible. A restriction to agent types lets it through if one of its agents is visible.
   */
  allowsTask({ serverId, serverType, swarmId }: Task, hasVisibleAgent: () => boolean): boolean {
    const { serverIds, swarmIds, agentTypes } = this.view;
    if (!(serverIds?.has(serverId) ?? true) || !this.allowsServerType(serverType)) return false;
    if (swarmId !== null && !this.allowsSwarmId(swarmId)) return false;
    const needsAgent = agentTypes !== null || (swarmIds !== null && swarmId === null);
    return !needsAgent || hasVisibleAgent();
  }

  /** Whether a swarm id is allowed. The server and the type of the swarm are not checked. */
  allowsSwarmId(id: string): boolean {
    return this.view.swarmIds?.has(id) ?? true;
  }

  /** Removes texts that may concern hidden agents of the server. */
  filterServer(server: McpServer): McpServer {
    return this.allowsAllAgentsOf(server) ? server : { ...server, lastError: null };
  }

  /** Removes task counts that include hidden agents or hidden performance. */
  filterSwarm(swarm: Swarm): Swarm {
    if (this.view.agentTypes === null && this.#restriction.performance) return swarm;
    return { ...swarm, tasksTotal: null, tasksActive: null, tasksCompleted: null };
  }

  /**
   * Removes hidden parts of an agent.
   * @param visible references of the agent to visible items, and its position among visible agents
   * @returns the same object for the same agent, unless a reference or the position differs
   */
  filterAgent(agent: Agent, visible: Pick<Agent, 'swarmId' | 'parentId' | 'currentTaskId' | 'topology'>): Agent {
    const masked = maskAgent(this.view, agent);
    const isEqual =
      visible.swarmId === agent.swarmId &&
      visible.parentId === agent.parentId &&
      visible.currentTaskId === agent.currentTaskId &&
      visible.topology === agent.topology;
    return isEqual ? masked : { ...masked, ...visible };
  }

  /**
   * Removes references of a task to hidden items.
   * @param visible references of the task to visible items
   * @returns the same object for the same task, unless a reference is hidden
   */
  filterTask(task: Task, visible: Pick<Task, 'swarmId' | 'agentIds' | 'dependsOnIds'>): Task {
    const isEqual =
      visible.swarmId === task.swarmId &&
      visible.agentIds.length === task.agentIds.length &&
      visible.dependsOnIds.length === task.dependsOnIds.length;
    return isEqual ? task : { ...task, ...visible };
  }

  /**
   * Returns an event without hidden parts, or nothing if the event is hidden.
   * @param server visible server of the event, or null if there is none
   */
  filterEvent(event: OperationalEvent, server: McpServer | null): readonly OperationalEvent[] {
    if (event.serverId === null) return this.allowsAllServers ? [event] : [];
    if (server === null) return [];
    if (this.allowsAllAgentsOf(server)) return [event];
    return event.type === 'health' ? [{ ...event, reason: null }] : withoutDetails(event, event.serverId);
  }
}

function withoutDetails(notice: Notice, serverId: string): readonly Notice[] {
  if (!SERVER_NOTICE_CODES.test(notice.code)) return [];
  return [
    {
      ...notice,
      message: `${serverId}: ${notice.code}. Details are visible to viewers who can see all agents of the server.`,
    },
  ];
}
