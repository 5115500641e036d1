import type { McpServerType, ReportedAgent, ReportedSwarm, ServerReport } from '../../model/index.js';
import { type SessionEvent, ToolRejectedError } from '../../mcp/index.js';
import type { Adapter, AdapterContext } from '../adapter.js';
import { collectFailures, PolledTool, TEN_HZ_INTERVAL_MS, settleAll } from '../polled-tool.js';
import { applyObservedCall } from '../observed-call.js';
import { RecordReader } from '../responses/record-reader.js';
import { toNeural, toPerformance, createReportedAgent, createReportedSwarm } from '../responses/report-builders.js';
import { parseAgents, parseSwarms, parseTasks } from './responses.js';
import { SwarmMembers } from './swarm-members.js';
import { RUV_SWARM_OBSERVERS, type RuvSwarmTools } from './observers.js';
import { parseAgentStatus } from '../responses/agent-status.js';

/** ruv-swarm. Of its tools, those that make up their numbers or always fail are never asked. */
export class RuvSwarmAdapter implements Adapter {
  readonly type = 'RUV_SWARM';
  readonly agentServerTypes: readonly McpServerType[] = ['RUV_SWARM'];
  readonly #context: AdapterContext;
  readonly #tools: RuvSwarmTools;
  #primed = false;
  #hasPolled = false;
  #known: ReadonlySet<string> = new Set();

  constructor(context: AdapterContext) {
    const records = new RecordReader(context);
    this.#context = context;
    this.#tools = {
      records,
      agents: new PolledTool(context, {
        tool: 'agent_list',
        minIntervalMs: 0,
        isMain: true,
        read: (answer) => parseAgents(records, answer),
      }),
      swarms: new PolledTool(context, {
        tool: 'swarm_status',
        minIntervalMs: TEN_HZ_INTERVAL_MS,
        read: (answer) => parseSwarms(records, answer),
      }),
      tasks: new PolledTool(context, {
        tool: 'task_status',
        minIntervalMs: TEN_HZ_INTERVAL_MS,
        read: (answer) => parseTasks(records, answer),
      }),
      members: new SwarmMembers(context),
    };
  }

  get rejectedCount(): number {
    return this.#tools.records.rejectedCount;
  }

  get lastRejection(): string | null {
    return this.#tools.records.lastRejection;
  }

  observe(push: SessionEvent): ServerReport | null {
    const hasLearned = applyObservedCall(push, RUV_SWARM_OBSERVERS, this.#tools);
    // Before the first poll has ended, most of what is there is not known: a report would take it away.
    return hasLearned && this.#hasPolled ? this.#report() : null;
  }

  async poll(signal: AbortSignal): Promise<ServerReport> {
    // The list first: when it cannot be had, the server is away, and the rest need not be asked.
    await this.#tools.agents.refresh(signal);
    const ids = (this.#tools.agents.lastGood ?? []).map((one) => one.id);
    const isNew = ids.some((id) => !this.#known.has(id));
    await settleAll([this.#askSwarms(signal, isNew), this.#tools.tasks.refresh(signal)]);
    if (this.#tools.agents.failure === null) {
      // A swarm that says it has no agents need not be asked for them: after a restart all old ones are such.
      const swarms = (this.#tools.swarms.lastGood ?? []).filter((swarm) => swarm.agents?.total !== 0);
      await this.#tools.members.refresh({ swarmIds: swarms.map((swarm) => swarm.id), agentIds: ids, isNew }, signal);
    }
    this.#known = new Set(ids);
    this.#hasPolled = true;
    return this.#report();
  }

  #report(): ServerReport {
    return {
      agents: this.#reportedAgents(),
      swarms: this.#reportedSwarms(),
      edges: [],
      failures: collectFailures([this.#tools.agents, this.#tools.swarms, this.#tools.tasks, this.#tools.members]),
    };
  }

  /** @param isNew there is an agent that was not there before: the swarms known so far may be out of date */
  async #askSwarms(signal: AbortSignal, isNew: boolean): Promise<void> {
    const minIntervalMs = isNew ? 0 : TEN_HZ_INTERVAL_MS;
    if (!this.#tools.swarms.isDue(minIntervalMs)) return;
    if (!this.#primed && this.#context.tools.has('memory_usage')) await this.#prime(signal);
    await this.#tools.swarms.refresh(signal, minIntervalMs);
  }

  /** `swarm_status` fails until something has made the server set up its metrics, which `memory_usage` does. */
  async #prime(signal: AbortSignal): Promise<void> {
    try {
      await this.#context.caller.callTool('memory_usage', {}, signal);
      this.#primed = true;
    } catch (error) {
      // Whether it mattered shows in the answer to swarm_status; it is tried again with that one's next call.
      if (!(error instanceof ToolRejectedError)) throw error;
    }
  }

  #reportedAgents(): ReportedAgent[] {
    const stale = this.#tools.agents.failure !== null;
    const swarmOf = this.#tools.members.membership((this.#tools.swarms.lastGood ?? []).map((swarm) => swarm.id));
    return (this.#tools.agents.lastGood ?? []).map((one) => {
      const tasks = this.#tools.tasks.current?.countsFor(one.id);
      return createReportedAgent({
        nativeId: one.id,
        serverType: 'RUV_SWARM',
        swarmNativeId: swarmOf.get(one.id) ?? null,
        name: one.name ?? one.id,
        type: one.type ?? 'unknown',
        status: parseAgentStatus(one.status),
        capabilities: one.capabilities,
        performance: toPerformance({
          tasksActive: tasks?.active ?? null,
          tasksCompleted: tasks?.completed ?? null,
          tasksFailed: tasks?.failed ?? null,
        }),
        neural: toNeural({ cognitivePattern: one.cognitive_pattern, networkId: one.neural_network_id }),
        stale,
      });
    });
  }

  #reportedSwarms(): ReportedSwarm[] {
    const stale = this.#tools.swarms.failure !== null;
    return (this.#tools.swarms.lastGood ?? []).map((swarm) =>
      createReportedSwarm({
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
