import type { McpServerType, ReportedAgent, ReportedEdge, ReportedSwarm, ServerReport } from '../../model/index.js';
import type { SessionEvent } from '../../mcp/index.js';
import type { Adapter, AdapterContext } from '../adapter.js';
import { MAX_TASKS, parseAgents, parseDaaAgents, parseHive, parseSwarm, parseTasks } from './responses.js';
import { CLAUDE_FLOW_OBSERVERS, type ClaudeFlowTools } from './observers.js';
import { CognitivePatterns } from './cognitive-patterns.js';
import { collectFailures, PolledTool, TEN_HZ_INTERVAL_MS } from '../polled-tool.js';
import { applyObservedCall } from '../observed-call.js';
import { RecordReader } from '../responses/record-reader.js';
import { toNeural, toPerformance, createReportedAgent, createReportedSwarm } from '../responses/report-builders.js';
import { parseAgentStatus } from '../responses/agent-status.js';

/**
 * Polls claude-flow, also known as ruflo. Makes one call at a time, because parallel calls would write to the project.
 * Does not request terminated agents: an agent has ended when it disappears from the list.
 */
export class ClaudeFlowAdapter implements Adapter {
  readonly type = 'CLAUDE_FLOW';
  readonly agentServerTypes: readonly McpServerType[];
  readonly #tools: ClaudeFlowTools;
  #hasPolled = false;

  constructor(context: AdapterContext) {
    const records = new RecordReader(context);
    this.agentServerTypes = context.tools.has('daa_learning_status') ? ['CLAUDE_FLOW', 'DAA'] : ['CLAUDE_FLOW'];
    this.#tools = {
      records,
      agents: new PolledTool(context, {
        tool: 'agent_list',
        minIntervalMs: 0,
        isMain: true,
        read: (response) => parseAgents(records, response),
      }),
      hive: new PolledTool(context, {
        tool: 'hive-mind_status',
        minIntervalMs: 0,
        read: (response) => parseHive(records, response),
      }),
      daaAgents: new PolledTool(context, {
        tool: 'daa_learning_status',
        minIntervalMs: TEN_HZ_INTERVAL_MS,
        read: (response) => parseDaaAgents(records, response),
      }),
      swarm: new PolledTool(context, {
        tool: 'swarm_status',
        minIntervalMs: TEN_HZ_INTERVAL_MS,
        read: (response) => parseSwarm(records, response),
      }),
      tasks: new PolledTool(context, {
        tool: 'task_list',
        args: { limit: MAX_TASKS },
        minIntervalMs: TEN_HZ_INTERVAL_MS,
        read: (response) => parseTasks(records, response),
      }),
      patterns: new CognitivePatterns(context, records),
    };
  }

  get rejectedCount(): number {
    return this.#tools.records.rejectedCount;
  }

  get lastRejection(): string | null {
    return this.#tools.records.lastRejection;
  }

  observe(event: SessionEvent): ServerReport | null {
    const hasChanged = applyObservedCall(event, CLAUDE_FLOW_OBSERVERS, this.#tools);
    // Before the first poll has ended, a report would be incomplete and remove agents.
    return hasChanged && this.#hasPolled ? this.#report() : null;
  }

  async poll(signal: AbortSignal): Promise<ServerReport> {
    const { agents, hive, daaAgents, swarm, tasks, patterns } = this.#tools;
    for (const tool of [agents, hive, daaAgents, swarm, tasks]) await tool.refresh(signal);
    await patterns.refresh(
      (daaAgents.lastGood ?? []).map((agent) => agent.id),
      signal,
    );
    this.#hasPolled = true;
    return this.#report();
  }

  #report(): ServerReport {
    const agents = [...this.#listedAgents(), ...this.#hiveAgents()];
    return {
      agents: [...agents, ...this.#autonomousAgents(new Set(agents.map((agent) => agent.nativeId)))],
      swarms: this.#swarms(),
      edges: this.#edges(),
      failures: [
        ...collectFailures([
          this.#tools.agents,
          this.#tools.hive,
          this.#tools.daaAgents,
          this.#tools.swarm,
          this.#tools.tasks,
        ]),
        ...this.#tools.patterns.failures,
      ],
    };
  }

  #listedAgents(): ReportedAgent[] {
    const hive = this.#tools.hive.lastGood;
    const workers = new Set(hive?.workers.map((worker) => worker.id));
    const queen = hive?.queen?.nativeId ?? null;
    const swarm = this.#tools.swarm.lastGood;
    // With several swarms, the server does not report which of them an agent belongs to.
    const swarmNativeId = swarm?.totalSwarms === 1 ? swarm.swarmId : null;
    const stale = this.#tools.agents.failure !== null;
    return (this.#tools.agents.lastGood ?? []).map((agent) => {
      const role = agent.agentId === queen ? 'queen' : workers.has(agent.agentId) ? 'worker' : null;
      return createReportedAgent({
        nativeId: agent.agentId,
        serverType: 'CLAUDE_FLOW',
        swarmNativeId: role === null ? swarmNativeId : (hive?.nativeId ?? null),
        type: agent.agentType ?? 'unknown',
        status: parseAgentStatus(agent.status),
        performance: toPerformance({ healthScore: agent.health, ...this.#taskCounts(agent.agentId, agent.taskCount) }),
        role,
        createdAt: agent.createdAt,
        stale,
      });
    });
  }

  /** Returns the agents of the hive that are not in the agent list. Usually that is the queen. */
  #hiveAgents(): ReportedAgent[] {
    const hive = this.#tools.hive.lastGood;
    if (hive === null) return [];
    const listed = new Set(this.#tools.agents.lastGood?.map((agent) => agent.agentId));
    const common = {
      serverType: 'CLAUDE_FLOW',
      swarmNativeId: hive.nativeId,
      stale: this.#tools.hive.failure !== null,
    } as const;
    const { queen } = hive;
    const agents: ReportedAgent[] = [];
    if (queen !== null && !listed.has(queen.nativeId)) {
      agents.push(
        createReportedAgent({
          ...common,
          nativeId: queen.nativeId,
          type: 'queen',
          status: parseAgentStatus(queen.status),
          performance: toPerformance(this.#taskCounts(queen.nativeId, null)),
          role: 'queen',
        }),
      );
    }
    for (const worker of hive.workers) {
      if (listed.has(worker.id) || worker.id === queen?.nativeId) continue;
      // The server invents the type and count of a worker without a record.
      const hasRecord = worker.status !== 'unknown';
      agents.push(
        createReportedAgent({
          ...common,
          nativeId: worker.id,
          type: (hasRecord ? worker.type : null) ?? 'unknown',
          status: parseAgentStatus(worker.status),
          performance: toPerformance(this.#taskCounts(worker.id, hasRecord ? worker.tasksCompleted : null)),
          role: 'worker',
        }),
      );
    }
    return agents;
  }

  /**
   * Returns the DAA agents.
   * @param usedIds ids of the other agents; ids are unique in a server, so a DAA agent with a used id is omitted
   */
  #autonomousAgents(usedIds: ReadonlySet<string>): ReportedAgent[] {
    const stale = this.#tools.daaAgents.failure !== null;
    const distinct = (this.#tools.daaAgents.lastGood ?? []).filter((agent) => {
      if (usedIds.has(agent.id))
        this.#tools.records.reject({ tool: 'daa_learning_status', path: 'agents' }, 'Duplicate id');
      return !usedIds.has(agent.id);
    });
    return distinct.map((agent) => {
      const pattern = this.#tools.patterns.patternOf(agent.id);
      return createReportedAgent({
        nativeId: agent.id,
        serverType: 'DAA',
        status: parseAgentStatus(agent.status),
        performance: toPerformance({ successRate: agent.successRate }),
        neural: toNeural({
          cognitivePattern: pattern?.cognitivePattern ?? null,
          learningRate: pattern?.learningRate ?? null,
          adaptations: agent.adaptations,
        }),
        stale,
      });
    });
  }

  /**
   * Counts the tasks of an agent.
   * @param taskCount counter in the agent's record, which includes tasks executed without an entry in the task list; takes
   * precedence over the list as the number of completed tasks
   */
  #taskCounts(nativeId: string, taskCount: number | null) {
    const listed = this.#tools.tasks.current?.countsFor(nativeId);
    return {
      tasksActive: listed?.active ?? null,
      tasksCompleted: taskCount ?? listed?.completed ?? null,
      tasksFailed: listed?.failed ?? null,
    };
  }

  #swarms(): ReportedSwarm[] {
    const swarms: ReportedSwarm[] = [];
    const swarm = this.#tools.swarm.lastGood;
    if (swarm?.swarmId != null) {
      swarms.push(
        createReportedSwarm({
          nativeId: swarm.swarmId,
          serverType: 'CLAUDE_FLOW',
          status: swarm.status,
          topologyName: swarm.topology,
          strategy: swarm.strategy,
          maxAgents: swarm.maxAgents,
          createdAt: swarm.createdAt,
          stale: this.#tools.swarm.failure !== null,
        }),
      );
    }
    const hive = this.#tools.hive.lastGood;
    if (hive !== null && hive.nativeId !== swarm?.swarmId) {
      // The hive's task counts are omitted, because they include all tasks of the project.
      swarms.push(
        createReportedSwarm({
          nativeId: hive.nativeId,
          serverType: 'CLAUDE_FLOW',
          status: hive.status,
          topologyName: hive.topologyName,
          createdAt: hive.createdAt,
          stale: this.#tools.hive.failure !== null,
        }),
      );
    }
    return swarms;
  }

  #edges(): ReportedEdge[] {
    const hive = this.#tools.hive.lastGood;
    const queen = hive?.queen ?? null;
    if (hive === null || queen === null) return [];
    return hive.workers
      .filter((worker) => worker.id !== queen.nativeId)
      .map((worker) => ({
        swarmNativeId: hive.nativeId,
        fromNativeId: queen.nativeId,
        toNativeId: worker.id,
        relation: 'leads',
      }));
  }
}
