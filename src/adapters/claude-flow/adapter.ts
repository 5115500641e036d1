import type { McpServerType, ServerReport } from '../../model/index.js';
import type { SessionEvent } from '../../mcp/index.js';
import type { Adapter, AdapterContext } from '../adapter.js';
import { applyObservedCall } from '../observed-call.js';
import { collectProblems, PolledTool, TEN_HZ_INTERVAL_MS } from '../polled-tool.js';
import { RecordReader } from '../responses/record-reader.js';
import { buildReport } from './build-report.js';
import { CognitivePatterns } from './cognitive-patterns.js';
import { CLAUDE_FLOW_OBSERVERS, type ClaudeFlowTools } from './observers.js';
import { ProjectState } from './project-state.js';
import { MAX_TASKS, parseAgents, parseDaaAgents, parseHive, parseSwarmStatus, parseTasks } from './responses.js';
import type { ClaudeFlowState } from './state.js';

/** Tool of claude-flow 2.x, which version 3 does not offer. Its `swarm_status` changes nothing. */
const VERSION_2_TOOL = 'agents_spawn_parallel';

/** Consecutive polls in which files and server list other agents, after which the files are no longer used. */
const MAX_DISAGREEMENTS = 2;

/**
 * Polls claude-flow, also known as ruflo, without changing it. Reads the state files of the project if they are those of
 * the server. Otherwise calls the tools that change nothing, one at a time, because each call is written into a log that
 * later calls read. Does not request terminated agents: an agent has ended when it disappears from the list.
 */
export class ClaudeFlowAdapter implements Adapter {
  readonly type = 'CLAUDE_FLOW';
  readonly agentServerTypes: readonly McpServerType[];
  readonly #tools: ClaudeFlowTools;
  readonly #project: ProjectState | null;
  /** Whether `swarm_status` may be called. */
  readonly #canCallSwarmStatus: boolean;
  #usesFiles = false;
  #disagreements = 0;
  #hasPolled = false;

  constructor(context: AdapterContext) {
    const { tools, simulated = false, projectDirectory = null } = context;
    const records = new RecordReader(context);
    this.agentServerTypes = tools.has('daa_learning_status') ? ['CLAUDE_FLOW', 'DAA'] : ['CLAUDE_FLOW'];
    const isVersion2 = tools.has(VERSION_2_TOOL);
    this.#canCallSwarmStatus = simulated || isVersion2;
    this.#project =
      projectDirectory === null || this.#canCallSwarmStatus
        ? null
        : new ProjectState(projectDirectory, context, records);
    this.#tools = {
      records,
      agents: new PolledTool(context, {
        tool: 'agent_list',
        records,
        minIntervalMs: 0,
        isMain: true,
        // Without a swarm, version 2 reports a failure.
        acceptsAnyResponse: true,
        read: (response) => parseAgents(records, 'agent_list', response),
      }),
      hive: new PolledTool(context, {
        tool: 'hive-mind_status',
        records,
        minIntervalMs: 0,
        read: (response) => parseHive(records, response),
      }),
      daaAgents: new PolledTool(context, {
        tool: 'daa_learning_status',
        records,
        minIntervalMs: TEN_HZ_INTERVAL_MS,
        read: (response) => parseDaaAgents(records, 'daa_learning_status', response),
      }),
      swarms: new PolledTool(context, {
        tool: 'swarm_status',
        records,
        minIntervalMs: TEN_HZ_INTERVAL_MS,
        acceptsAnyResponse: true,
        read: (response) => parseSwarmStatus(records, response, { hasAllAgents: simulated, countsTasks: isVersion2 }),
      }),
      tasks: new PolledTool(context, {
        tool: 'task_list',
        records,
        args: { limit: MAX_TASKS },
        minIntervalMs: TEN_HZ_INTERVAL_MS,
        read: (response) => parseTasks(records, response).withKnownValues(this.#tools.tasks.lastGood),
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
    await this.#tools.agents.refresh(signal);
    if (this.#project !== null) await this.#refreshFiles(this.#project, signal);
    if (!this.#usesFiles) await this.#refreshTools(signal);
    this.#hasPolled = true;
    return this.#report();
  }

  async #refreshFiles(project: ProjectState, signal: AbortSignal): Promise<void> {
    await project.refresh(signal);
    const listed = this.#tools.agents.current;
    // A server without state files has not stored anything yet, or stores it elsewhere.
    const agrees = project.exists && listed !== null ? project.agreesWith(listed) : project.exists && null;
    if (agrees === null) return;
    // One of them may have been read before a change and the other one after it.
    this.#disagreements = agrees ? 0 : this.#disagreements + 1;
    this.#usesFiles = agrees || (this.#usesFiles && this.#disagreements < MAX_DISAGREEMENTS);
  }

  async #refreshTools(signal: AbortSignal): Promise<void> {
    const { hive, daaAgents, swarms, tasks, patterns } = this.#tools;
    for (const tool of [hive, daaAgents, tasks]) await tool.refresh(signal);
    if (this.#canCallSwarmStatus) await swarms.refresh(signal);
    await patterns.refresh(
      (daaAgents.lastGood ?? []).map((agent) => agent.id),
      signal,
    );
  }

  #report(): ServerReport {
    return buildReport(this.#fileState() ?? this.#toolState(), () => {
      this.#tools.records.reject({ tool: 'daa_learning_status', path: 'agents' }, 'Duplicate id');
    });
  }

  #fileState(): ClaudeFlowState | null {
    if (!this.#usesFiles || this.#project === null) return null;
    const state = this.#project.toState();
    // The list shows that the server still answers.
    return { ...state, failures: [...collectProblems([this.#tools.agents]).failures, ...state.failures] };
  }

  #toolState(): ClaudeFlowState {
    const { agents, hive, daaAgents, swarms, tasks, patterns } = this.#tools;
    const limitation = this.#limitation();
    const problems = collectProblems([agents, hive, daaAgents, swarms, tasks]);
    return {
      agents: agents.lastGood ?? [],
      agentsAreStale: agents.failure !== null,
      hive: hive.lastGood,
      hiveIsStale: hive.failure !== null,
      daaAgents: (daaAgents.lastGood ?? []).map((agent) => ({ ...agent, ...patterns.patternOf(agent.id) })),
      daaAgentsAreStale: daaAgents.failure !== null,
      swarms: swarms.lastGood ?? [],
      swarmsAreStale: swarms.failure !== null,
      tasks: tasks.lastGood,
      tasksAreStale: tasks.failure !== null,
      ...problems,
      failures: [...problems.failures, ...patterns.failures],
      ...(limitation !== null && { limitation }),
    };
  }

  /** Returns why the swarms are unknown. Null if they are known, or if there are no agents that could belong to one. */
  #limitation(): string | null {
    const { agents } = this.#tools;
    if (this.#canCallSwarmStatus || (agents.lastGood ?? []).length === 0) return null;
    return `Swarms, models and current tasks are unknown: ${describeCause(this.#project)}, and "swarm_status" changes the project`;
  }
}

/** Describes why the state files of a server are not used. */
function describeCause(project: ProjectState | null): string {
  if (project === null) return 'the state files of the project are not on this machine';
  const { directory, exists, agentsFailure } = project;
  if (agentsFailure !== null)
    return `the file ${agentsFailure.tool} in ${directory} is unusable (${agentsFailure.message})`;
  return exists
    ? `the state files in ${directory} list other agents than the server`
    : `there are no state files in ${directory}`;
}
