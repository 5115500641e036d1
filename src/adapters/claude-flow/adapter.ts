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
 * claude-flow, also known as ruflo. Its calls go one after another, because it is observed harmlessly only with one call
 * at a time. Terminated agents are not asked for: that they are gone from the list is their end.
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
        read: (answer) => parseAgents(records, answer),
      }),
      hive: new PolledTool(context, {
        tool: 'hive-mind_status',
        minIntervalMs: 0,
        read: (answer) => parseHive(records, answer),
      }),
      daaAgents: new PolledTool(context, {
        tool: 'daa_learning_status',
        minIntervalMs: TEN_HZ_INTERVAL_MS,
        read: (answer) => parseDaaAgents(records, answer),
      }),
      swarm: new PolledTool(context, {
        tool: 'swarm_status',
        minIntervalMs: TEN_HZ_INTERVAL_MS,
        read: (answer) => parseSwarm(records, answer),
      }),
      tasks: new PolledTool(context, {
        tool: 'task_list',
        args: { limit: MAX_TASKS },
        minIntervalMs: TEN_HZ_INTERVAL_MS,
        read: (answer) => parseTasks(records, answer),
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

  observe(push: SessionEvent): ServerReport | null {
    const hasLearned = applyObservedCall(push, CLAUDE_FLOW_OBSERVERS, this.#tools);
    // Before the first poll has ended, most of what is there is not known: a report would take it away.
    return hasLearned && this.#hasPolled ? this.#report() : null;
  }

  async poll(signal: AbortSignal): Promise<ServerReport> {
    const { agents, hive, daaAgents, swarm, tasks, patterns } = this.#tools;
    for (const lane of [agents, hive, daaAgents, swarm, tasks]) await lane.refresh(signal);
    await patterns.refresh(
      (daaAgents.lastGood ?? []).map((one) => one.id),
      signal,
    );
    this.#hasPolled = true;
    return this.#report();
  }

  #report(): ServerReport {
    const agents = [...this.#listedAgents(), ...this.#hiveAgents()];
    return {
      agents: [...agents, ...this.#autonomousAgents(new Set(agents.map((one) => one.nativeId)))],
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
    const workers = new Set(hive?.workers.map((one) => one.id));
    const queen = hive?.queen?.nativeId ?? null;
    const swarm = this.#tools.swarm.lastGood;
    // With more than one swarm it is not said which of them an agent belongs to.
    const swarmNativeId = swarm?.totalSwarms === 1 ? swarm.swarmId : null;
    const stale = this.#tools.agents.failure !== null;
    return (this.#tools.agents.lastGood ?? []).map((one) => {
      const role = one.agentId === queen ? 'queen' : workers.has(one.agentId) ? 'worker' : null;
      return createReportedAgent({
        nativeId: one.agentId,
        serverType: 'CLAUDE_FLOW',
        swarmNativeId: role === null ? swarmNativeId : (hive?.nativeId ?? null),
        type: one.agentType ?? 'unknown',
        status: parseAgentStatus(one.status),
        performance: toPerformance({ healthScore: one.health, ...this.#tasksOf(one.agentId, one.taskCount) }),
        role,
        createdAt: one.createdAt,
        stale,
      });
    });
  }

  /** The hive's agents that the agent list does not hold: the queen, as a rule. */
  #hiveAgents(): ReportedAgent[] {
    const hive = this.#tools.hive.lastGood;
    if (hive === null) return [];
    const listed = new Set(this.#tools.agents.lastGood?.map((one) => one.agentId));
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
          performance: toPerformance(this.#tasksOf(queen.nativeId, null)),
          role: 'queen',
        }),
      );
    }
    for (const worker of hive.workers) {
      if (listed.has(worker.id) || worker.id === queen?.nativeId) continue;
      // Of a worker that it has no record of, the server fills in a type and a count.
      const recorded = worker.status !== 'unknown';
      agents.push(
        createReportedAgent({
          ...common,
          nativeId: worker.id,
          type: (recorded ? worker.type : null) ?? 'unknown',
          status: parseAgentStatus(worker.status),
          performance: toPerformance(this.#tasksOf(worker.id, recorded ? worker.tasksCompleted : null)),
          role: 'worker',
        }),
      );
    }
    return agents;
  }

  /** @param taken ids are unique in a server: of two agents that bear the same one, the one named before stays */
  #autonomousAgents(taken: ReadonlySet<string>): ReportedAgent[] {
    const stale = this.#tools.daaAgents.failure !== null;
    const distinct = (this.#tools.daaAgents.lastGood ?? []).filter((one) => {
      if (taken.has(one.id))
        this.#tools.records.reject({ tool: 'daa_learning_status', path: 'agents' }, 'Duplicate id');
      return !taken.has(one.id);
    });
    return distinct.map((one) => {
      const pattern = this.#tools.patterns.patternOf(one.id);
      return createReportedAgent({
        nativeId: one.id,
        serverType: 'DAA',
        status: parseAgentStatus(one.status),
        performance: toPerformance({ successRate: one.successRate }),
        neural: toNeural({
          cognitivePattern: pattern?.cognitivePattern ?? null,
          learningRate: pattern?.learningRate ?? null,
          adaptations: one.adaptations,
        }),
        stale,
      });
    });
  }

  /**
   * @param taskCount the agent's own tally, which the server raises with each task it completes or executes, and calls
   * "completed" wherever it names it; tasks executed without a record are in no list
   */
  #tasksOf(nativeId: string, taskCount: number | null) {
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
      // Its task counts are left out: they count all tasks of the project, whosever they are.
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
