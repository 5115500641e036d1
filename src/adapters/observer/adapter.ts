import type { SessionEvent } from '../../mcp/index.js';
import type { McpServerType, ReportedAgent, ReportedTask, ServerReport } from '../../model/index.js';
import {
  agentListSchema,
  messageListSchema,
  OBSERVER_RESOURCES,
  type ObserverListTool,
  taskListSchema,
} from '../../observer-format/index.js';
import type { Adapter, AdapterContext } from '../adapter.js';
import { collectProblems, PolledTool, settleAll } from '../polled-tool.js';
import { parseResponse, UnusableResponseError } from '../responses/parse-response.js';
import { RecordReader } from '../responses/record-reader.js';
import {
  findCurrentTasks,
  toReportedAgent,
  toReportedEdges,
  toReportedMessages,
  toReportedSwarms,
  toReportedTask,
} from './build-report.js';
import {
  type AgentEntry,
  agentSchema,
  type MessageEntry,
  messageSchema,
  type SwarmEntry,
  swarmSchema,
  type TaskEntry,
  taskSchema,
} from './entries.js';
import { applyEntryChanges } from './entry-map.js';

/** Interval in milliseconds at which tasks and messages are polled, although the observer announces their changes. */
const UNANNOUNCED_INTERVAL_MS = 5_000;

type Entries<T> = ReadonlyMap<string, T>;

interface ObservedState {
  readonly agents: Entries<AgentEntry>;
  readonly swarms: Entries<SwarmEntry>;
}

const NO_STATE: ObservedState = { agents: new Map(), swarms: new Map() };

/**
 * Polls an observer of a coding agent. Asks for what has changed since the last answer, because an observer may list thousands of
 * agents of which few change.
 */
export class ObserverAdapter implements Adapter {
  readonly type: McpServerType;
  readonly agentServerTypes: readonly McpServerType[];
  readonly #records: RecordReader;
  readonly #agents: PolledTool<ObservedState>;
  readonly #tasks: PolledTool<Entries<TaskEntry>>;
  readonly #messages: PolledTool<Entries<MessageEntry>>;
  /** Revision of the last answer of each tool. */
  readonly #revisions = new Map<ObserverListTool, string>();
  /** Tools whose lists have changed since they were called. */
  readonly #announced = new Set<ObserverListTool>();
  #reportedAgents: { readonly key: readonly unknown[]; readonly value: readonly ReportedAgent[] } | null = null;
  #reportedTasks: { readonly key: readonly unknown[]; readonly value: readonly ReportedTask[] } | null = null;

  constructor(type: 'CLAUDE_CODE' | 'CODEX', context: AdapterContext) {
    const records = new RecordReader(context);
    this.type = type;
    this.agentServerTypes = [type];
    this.#records = records;
    this.#agents = new PolledTool<ObservedState>(context, {
      tool: 'list_agents',
      args: () => this.#argumentsOf('list_agents'),
      records,
      minIntervalMs: 0,
      isMain: true,
      read: (response) => {
        const answer = parseResponse(agentListSchema, response);
        const isComplete = this.#isComplete('list_agents', answer.base);
        const previous = this.#agents.lastGood ?? NO_STATE;
        const state = {
          agents: applyEntryChanges(
            records,
            { tool: 'list_agents', path: 'agents' },
            agentSchema,
            previous.agents,
            { entries: answer.agents, removedIds: answer.removedAgentIds, isComplete },
            ({ id }) => id,
          ),
          swarms: applyEntryChanges(
            records,
            { tool: 'list_agents', path: 'swarms' },
            swarmSchema,
            previous.swarms,
            { entries: answer.swarms, removedIds: answer.removedSwarmIds, isComplete },
            ({ id }) => id,
          ),
        };
        this.#revisions.set('list_agents', answer.revision);
        return state.agents === previous.agents && state.swarms === previous.swarms ? previous : state;
      },
    });
    this.#tasks = new PolledTool<Entries<TaskEntry>>(context, {
      tool: 'list_tasks',
      args: () => this.#argumentsOf('list_tasks'),
      records,
      minIntervalMs: UNANNOUNCED_INTERVAL_MS,
      read: (response) => {
        const answer = parseResponse(taskListSchema, response);
        const changes = {
          entries: answer.tasks,
          removedIds: answer.removedTaskIds,
          isComplete: this.#isComplete('list_tasks', answer.base),
        };
        const location = { tool: 'list_tasks', path: 'tasks' };
        const previous = this.#tasks.lastGood ?? new Map<string, TaskEntry>();
        const tasks = applyEntryChanges(records, location, taskSchema, previous, changes, ({ id }) => id);
        this.#revisions.set('list_tasks', answer.revision);
        return tasks;
      },
    });
    this.#messages = new PolledTool<Entries<MessageEntry>>(context, {
      tool: 'list_messages',
      args: () => this.#argumentsOf('list_messages'),
      records,
      minIntervalMs: UNANNOUNCED_INTERVAL_MS,
      read: (response) => {
        const answer = parseResponse(messageListSchema, response);
        const changes = {
          entries: answer.messages,
          removedIds: answer.removedMessageIds,
          isComplete: this.#isComplete('list_messages', answer.base),
        };
        const location = { tool: 'list_messages', path: 'messages' };
        const previous = this.#messages.lastGood ?? new Map<string, MessageEntry>();
        const messages = applyEntryChanges(records, location, messageSchema, previous, changes, ({ id }) => id);
        this.#revisions.set('list_messages', answer.revision);
        return messages;
      },
    });
  }

  get rejectedCount(): number {
    return this.#records.rejectedCount;
  }

  get lastRejection(): string | null {
    return this.#records.lastRejection;
  }

  /** Remembers which list has changed. The poll that follows calls its tool. */
  observe(event: SessionEvent): ServerReport | null {
    if (event.kind !== 'NOTIFICATION' || event.method !== 'notifications/resources/updated') return null;
    const { params } = event;
    const uri = typeof params === 'object' && params !== null && 'uri' in params ? params.uri : null;
    for (const [tool, resource] of Object.entries(OBSERVER_RESOURCES)) {
      if (resource === uri) this.#announced.add(tool as ObserverListTool); // Object.entries widens the keys
    }
    return null;
  }

  async poll(signal: AbortSignal): Promise<ServerReport> {
    // If the agent list fails, the server is unreachable and the other calls are unnecessary.
    await this.#agents.refresh(signal);
    await settleAll([
      this.#tasks.refresh(signal, this.#takeInterval('list_tasks')),
      this.#messages.refresh(signal, this.#takeInterval('list_messages')),
    ]);
    return this.#report();
  }

  #report(): ServerReport {
    const { agents, swarms } = this.#agents.lastGood ?? NO_STATE;
    const tasks = this.#tasks.lastGood ?? new Map<string, TaskEntry>();
    const messages = this.#messages.lastGood ?? new Map<string, MessageEntry>();
    return {
      agents: this.#reportAgents(agents, tasks),
      swarms: toReportedSwarms(this.type, swarms.values(), agents.values(), tasks.values()),
      edges: toReportedEdges(agents.values()),
      tasks: this.#reportTasks(tasks),
      messages: toReportedMessages(this.type, messages.values()),
      ...collectProblems([this.#agents, this.#tasks, this.#messages]),
    };
  }

  #reportAgents(agents: Entries<AgentEntry>, tasks: Entries<TaskEntry>): readonly ReportedAgent[] {
    const stale = this.#agents.failure !== null;
    const key = [agents, tasks, stale];
    if (!isSameKey(this.#reportedAgents?.key, key)) {
      const currentTasks = findCurrentTasks(tasks.values());
      const value = [...agents.values()].map((agent) => ({
        ...toReportedAgent(this.type, agent, currentTasks),
        stale,
      }));
      this.#reportedAgents = { key, value };
    }
    return this.#reportedAgents?.value ?? [];
  }

  #reportTasks(tasks: Entries<TaskEntry>): readonly ReportedTask[] {
    const stale = this.#tasks.failure !== null;
    const key = [tasks, stale];
    if (!isSameKey(this.#reportedTasks?.key, key)) {
      const value = [...tasks.values()].map((task) => ({ ...toReportedTask(this.type, task), stale }));
      this.#reportedTasks = { key, value };
    }
    return this.#reportedTasks?.value ?? [];
  }

  #argumentsOf(tool: ObserverListTool): Readonly<Record<string, unknown>> {
    const after = this.#revisions.get(tool);
    return after === undefined ? {} : { after };
  }

  /**
   * Returns whether an answer contains all entries.
   * @throws UnusableResponseError if it continues another answer than the last one
   */
  #isComplete(tool: ObserverListTool, base: string | null): boolean {
    if (base === null) return true;
    if (base === this.#revisions.get(tool)) return false;
    this.#revisions.delete(tool);
    throw new UnusableResponseError('The answer does not continue the last one');
  }

  #takeInterval(tool: ObserverListTool): number {
    return this.#announced.delete(tool) ? 0 : UNANNOUNCED_INTERVAL_MS;
  }
}

function isSameKey(known: readonly unknown[] | undefined, key: readonly unknown[]): boolean {
  return known !== undefined && key.every((part, index) => part === known[index]);
}
