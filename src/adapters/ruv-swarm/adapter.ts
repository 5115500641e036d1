import type { McpServerType, ReportedAgent, ReportedSwarm, ServerReport } from '../../model/index.js';
import { type SessionEvent, ToolRejectedError } from '../../mcp/index.js';
import type { Adapter, AdapterContext } from '../adapter.js';
import { collectProblems, PolledTool, TEN_HZ_INTERVAL_MS, settleAll } from '../polled-tool.js';
import { applyObservedCall } from '../observed-call.js';
import { RecordReader } from '../responses/record-reader.js';
import { toNeural, toPerformance, createReportedAgent, createReportedSwarm } from '../responses/report-builders.js';
import { parseAgents, parseSwarms, parseTasks } from './responses.js';
import { ObservedFacts } from './observed-facts.js';
import { SwarmMembers } from './swarm-members.js';
import { RUV_SWARM_OBSERVERS, type RuvSwarmTools } from './observers.js';
import { parseAgentStatus } from '../responses/agent-status.js';

/** Polls ruv-swarm. Never calls the tools that return invented numbers or always fail. */
export class RuvSwarmAdapter implements Adapter {
  readonly type = 'RUV_SWARM';
  readonly agentServerTypes: readonly McpServerType[];
  readonly #context: AdapterContext;
  readonly #tools: RuvSwarmTools;
  #isPrimed = false;
  #hasPolled = false;
  #previousIds: ReadonlySet<string> = new Set();

  constructor(context: AdapterContext) {
    const records = new RecordReader(context);
    this.#context = context;
    this.agentServerTypes = context.tools.has('daa_agent_create') ? ['RUV_SWARM', 'DAA'] : ['RUV_SWARM'];
    this.#tools = {
      records,
      agents: new PolledTool(context, {
        tool: 'agent_list',
        records,
        minIntervalMs: 0,
        isMain: true,
        read: (response) => parseAgents(records, response),
      }),
      swarms: new PolledTool(context, {
        tool: 'swarm_status',
        records,
        minIntervalMs: TEN_HZ_INTERVAL_MS,
        read: (response) => parseSwarms(records, response),
      }),
      tasks: new PolledTool(context, {
        tool: 'task_status',
        records,
        minIntervalMs: TEN_HZ_INTERVAL_MS,
        read: (response) => parseTasks(records, response).withKnownValues(this.#tools.tasks.lastGood),
      }),
      members: new SwarmMembers(context, records),
      facts: new ObservedFacts(records),
    };
  }

  get rejectedCount(): number {
    return this.#tools.records.rejectedCount;
  }

  get lastRejection(): string | null {
    return this.#tools.records.lastRejection;
  }

  observe(event: SessionEvent): ServerReport | null {
    const hasChanged = applyObservedCall(event, RUV_SWARM_OBSERVERS, this.#tools);
    // Before the first poll has ended, a report would be incomplete and remove agents.
    return hasChanged && this.#hasPolled ? this.#report() : null;
  }

  async poll(signal: AbortSignal): Promise<ServerReport> {
    // If the agent list fails, the server is unreachable and the other calls are unnecessary.
    await this.#tools.agents.refresh(signal);
    const ids = (this.#tools.agents.lastGood ?? []).map((agent) => agent.id);
    const isNew = ids.some((id) => !this.#previousIds.has(id));
    await settleAll([this.#refreshSwarms(signal, isNew), this.#tools.tasks.refresh(signal)]);
    if (this.#tools.agents.failure === null) {
      // Swarms without agents are skipped. After a restart, all old swarms are empty.
      const swarms = (this.#tools.swarms.lastGood ?? []).filter((swarm) => swarm.agents?.total !== 0);
      await this.#tools.members.refresh({ swarmIds: swarms.map((swarm) => swarm.id), agentIds: ids, isNew }, signal);
    }
    this.#previousIds = new Set(ids);
    this.#hasPolled = true;
    return this.#report();
  }

  #report(): ServerReport {
    const agents = this.#reportedAgents();
    return {
      agents: [...agents, ...this.#tools.facts.daaAgents(new Set(agents.map(({ nativeId }) => nativeId)))],
      swarms: this.#reportedSwarms(),
      edges: [],
      ...(this.#tools.tasks.lastGood !== null && {
        tasks: this.#tools.tasks.lastGood.report('RUV_SWARM', this.#tools.tasks.failure !== null),
      }),
      ...collectProblems([this.#tools.agents, this.#tools.swarms, this.#tools.tasks, this.#tools.members]),
    };
  }

  /**
   * Refreshes the swarms.
   * @param isNew whether there is a new agent, so that the known swarms may be out of date
   */
  async #refreshSwarms(signal: AbortSignal, isNew: boolean): Promise<void> {
    const minIntervalMs = isNew ? 0 : TEN_HZ_INTERVAL_MS;
    if (!this.#tools.swarms.isDue(minIntervalMs)) return;
    if (!this.#isPrimed && this.#context.tools.has('memory_usage')) await this.#prime(signal);
    await this.#tools.swarms.refresh(signal, minIntervalMs);
  }

  /** Calls `memory_usage`, which sets up the metrics of the server. Before that, `swarm_status` fails. */
  async #prime(signal: AbortSignal): Promise<void> {
    try {
      await this.#context.caller.callTool('memory_usage', {}, signal);
      this.#isPrimed = true;
    } catch (error) {
      // Tried again before the next call of `swarm_status`, whose result shows whether it was needed.
      if (!(error instanceof ToolRejectedError)) throw error;
    }
  }

  #reportedAgents(): ReportedAgent[] {
    const stale = this.#tools.agents.failure !== null;
    const swarmByAgent = this.#tools.members.membership((this.#tools.swarms.lastGood ?? []).map((swarm) => swarm.id));
    return (this.#tools.agents.lastGood ?? []).map((agent) => {
      const tasks = this.#tools.tasks.current?.countsFor(agent.id);
      return createReportedAgent({
        nativeId: agent.id,
        serverType: 'RUV_SWARM',
        swarmNativeId: swarmByAgent.get(agent.id) ?? null,
        name: agent.name ?? agent.id,
        type: agent.type ?? 'unknown',
        status: parseAgentStatus(agent.status),
        capabilities: agent.capabilities,
        performance: toPerformance({
          tasksActive: tasks?.active ?? null,
          tasksCompleted: tasks?.completed ?? null,
          tasksFailed: tasks?.failed ?? null,
        }),
        neural: toNeural({ cognitivePattern: agent.cognitive_pattern, networkId: agent.neural_network_id }),
        stale,
      });
    });
  }

  #reportedSwarms(): ReportedSwarm[] {
    const stale = this.#tools.swarms.failure !== null;
    return (this.#tools.swarms.lastGood ?? []).map((swarm) =>
      createReportedSwarm({
        ...this.#tools.facts.swarmValues(swarm.id),
        nativeId: swarm.id,
        serverType: 'RUV_SWARM',
        tasksTotal: swarm.tasks?.total ?? null,
        tasksActive: swarm.tasks?.in_progress ?? null,
        tasksCompleted: swarm.tasks?.completed ?? null,
        stale,
      }),
    );
  }
}
