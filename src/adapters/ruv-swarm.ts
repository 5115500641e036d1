import type { McpServerType, ReportedAgent, ReportedSwarm, ServerReport } from '../domain/index.js';
import { type Push, ToolRejectedError } from '../mcp/index.js';
import type { Adapter, AdapterContext } from './adapter.js';
import { failuresOf, Lane, TEN_HZ_INTERVAL_MS, together } from './lanes.js';
import { observeCall } from './observed.js';
import { RecordReader } from './records.js';
import { neuralOf, performanceOf, reportedAgent, reportedSwarm } from './reported.js';
import { readAgents, readSwarms, readTasks } from './ruv-swarm-answers.js';
import { SwarmMembers } from './ruv-swarm-members.js';
import { RUV_SWARM_OBSERVERS, type RuvSwarmLanes } from './ruv-swarm-observed.js';
import { agentStatus } from './status.js';

/** ruv-swarm. Of its tools, those that make up their numbers or always fail are never asked. */
export class RuvSwarmAdapter implements Adapter {
  readonly type = 'RUV_SWARM';
  readonly families: readonly McpServerType[] = ['RUV_SWARM'];
  readonly #context: AdapterContext;
  readonly #lanes: RuvSwarmLanes;
  #primed = false;
  #hasPolled = false;
  #known: ReadonlySet<string> = new Set();

  constructor(context: AdapterContext) {
    const records = new RecordReader(context);
    this.#context = context;
    this.#lanes = {
      records,
      agents: new Lane(context, {
        tool: 'agent_list',
        minIntervalMs: 0,
        isMain: true,
        read: (answer) => readAgents(records, answer),
      }),
      swarms: new Lane(context, {
        tool: 'swarm_status',
        minIntervalMs: TEN_HZ_INTERVAL_MS,
        read: (answer) => readSwarms(records, answer),
      }),
      tasks: new Lane(context, {
        tool: 'task_status',
        minIntervalMs: TEN_HZ_INTERVAL_MS,
        read: (answer) => readTasks(records, answer),
      }),
      members: new SwarmMembers(context),
    };
  }

  get rejected(): number {
    return this.#lanes.records.rejected;
  }

  get lastRejection(): string | null {
    return this.#lanes.records.lastRejection;
  }

  observe(push: Push): ServerReport | null {
    const hasLearned = observeCall(push, RUV_SWARM_OBSERVERS, this.#lanes);
    // Before the first poll has ended, most of what is there is not known: a report would take it away.
    return hasLearned && this.#hasPolled ? this.#report() : null;
  }

  async poll(signal: AbortSignal): Promise<ServerReport> {
    // The list first: when it cannot be had, the server is away, and the rest need not be asked.
    await this.#lanes.agents.ask(signal);
    const ids = (this.#lanes.agents.last ?? []).map((one) => one.id);
    const isNew = ids.some((id) => !this.#known.has(id));
    await together([this.#askSwarms(signal, isNew), this.#lanes.tasks.ask(signal)]);
    if (this.#lanes.agents.failure === null) {
      // A swarm that says it has no agents need not be asked for them: after a restart all old ones are such.
      const swarms = (this.#lanes.swarms.last ?? []).filter((swarm) => swarm.agents?.total !== 0);
      await this.#lanes.members.ask({ swarmIds: swarms.map((swarm) => swarm.id), agentIds: ids, isNew }, signal);
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
      failures: failuresOf([this.#lanes.agents, this.#lanes.swarms, this.#lanes.tasks, this.#lanes.members]),
    };
  }

  /** @param isNew there is an agent that was not there before: the swarms known so far may be out of date */
  async #askSwarms(signal: AbortSignal, isNew: boolean): Promise<void> {
    const minIntervalMs = isNew ? 0 : TEN_HZ_INTERVAL_MS;
    if (!this.#lanes.swarms.isDue(minIntervalMs)) return;
    if (!this.#primed && this.#context.tools.has('memory_usage')) await this.#prime(signal);
    await this.#lanes.swarms.ask(signal, minIntervalMs);
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
    const stale = this.#lanes.agents.failure !== null;
    const swarmOf = this.#lanes.members.placement((this.#lanes.swarms.last ?? []).map((swarm) => swarm.id));
    return (this.#lanes.agents.last ?? []).map((one) => {
      const tasks = this.#lanes.tasks.known?.of(one.id);
      return reportedAgent({
        nativeId: one.id,
        serverType: 'RUV_SWARM',
        swarmNativeId: swarmOf.get(one.id) ?? null,
        name: one.name ?? one.id,
        type: one.type ?? 'unknown',
        status: agentStatus(one.status),
        capabilities: one.capabilities,
        performance: performanceOf({
          tasksActive: tasks?.active ?? null,
          tasksCompleted: tasks?.completed ?? null,
          tasksFailed: tasks?.failed ?? null,
        }),
        neural: neuralOf({ cognitivePattern: one.cognitive_pattern, networkId: one.neural_network_id }),
        stale,
      });
    });
  }

  #reportedSwarms(): ReportedSwarm[] {
    const stale = this.#lanes.swarms.failure !== null;
    return (this.#lanes.swarms.last ?? []).map((swarm) =>
      reportedSwarm({
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
