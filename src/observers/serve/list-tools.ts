import type { Tool as ListedTool } from '@modelcontextprotocol/server';
import { z } from 'zod';
import {
  type AgentDetail,
  type AgentList,
  type MessageList,
  OBSERVER_FORMAT,
  OBSERVER_FORMAT_VERSION,
  type ObservedAgent,
  type ObservedSource,
  type ObservedUsage,
  type TaskList,
} from '../../observer-format/index.js';
import type { Observer } from '../observer.js';
import type { RevisionedList } from '../lists/revisioned-list.js';

/**
 * Longest time in milliseconds that an answer waits for the first reading. Short, because swarmlens uses only a share of the time for
 * calls, and pauses longer after a long one.
 */
export const MAX_READY_WAIT_MS = 300;

/** Maximum number of agents in one answer, the newest ones. */
const MAX_LISTED_AGENTS = 10_000;

/** Error of a call with invalid arguments or of an unknown agent. The message is sent to the client. */
export class ObserverToolError extends Error {
  override readonly name = 'ObserverToolError';
}

/** Tool of an observer. */
export interface ObserverTool {
  readonly listed: ListedTool;
  /** @throws ObserverToolError if the arguments are invalid */
  readonly call: (observer: Observer, source: ObservedSource, args: unknown) => object;
}

const listArgumentsSchema = z.object({
  after: z
    .string()
    .max(200)
    .nullish()
    .describe('Revision of an earlier answer. The answer then contains only what has changed since.'),
});
const agentArgumentsSchema = z.object({ id: z.string().min(1).max(500).describe('Id of an agent from list_agents.') });

export const OBSERVER_TOOLS: readonly ObserverTool[] = [
  {
    listed: listTool(
      'list_agents',
      'Lists the agents that run on this machine: status, activity, model, tokens, parents.',
      listArgumentsSchema,
    ),
    call: (observer, source, args): AgentList => {
      const { lists } = observer;
      const after = parseAfter(observer, args);
      const agents = lists.agents.changesSince(after);
      const swarms = lists.swarms.changesSince(agents.isComplete ? null : after);
      const isComplete = agents.isComplete || swarms.isComplete;
      const all = isComplete ? newestAgents(lists.agents) : agents.entries;
      return {
        ...header(source),
        revision: lists.revision,
        base: isComplete ? null : afterOf(args),
        agents: [...all],
        removedAgentIds: isComplete ? [] : [...agents.removedIds],
        swarms: [...(isComplete ? lists.swarms.values() : swarms.entries)],
        removedSwarmIds: isComplete ? [] : [...swarms.removedIds],
        problems: [...observer.problems()],
      };
    },
  },
  {
    listed: listTool(
      'get_agent',
      'Describes one agent with its children, its tasks and the tokens of its subtree.',
      agentArgumentsSchema,
    ),
    call: (observer, source, args): AgentDetail => {
      const { id } = parseArguments(agentArgumentsSchema, args);
      const { agents, tasks } = observer.lists;
      const agent = agents.get(id);
      if (agent === null)
        throw new ObserverToolError(`Unknown agent ${JSON.stringify(id)}. Call list_agents for the ids.`);
      const all = agents.values();
      return {
        ...header(source),
        agent,
        childIds: all.filter(({ parentId }) => parentId === id).map((child) => child.id),
        taskIds: tasks
          .values()
          .filter(({ agentIds }) => agentIds.includes(id))
          .map((task) => task.id),
        subtreeUsage: sumSubtree(agent, all),
      };
    },
  },
  {
    listed: listTool('list_tasks', 'Lists the tasks and todos of the agents.', listArgumentsSchema),
    call: (observer, source, args): TaskList => {
      const { base, revision, changes } = listSince(observer, observer.lists.tasks, args);
      return {
        ...header(source),
        revision,
        base,
        tasks: [...changes.entries],
        removedTaskIds: [...changes.removedIds],
      };
    },
  },
  {
    listed: listTool(
      'list_messages',
      'Lists the messages between the agents of teams, without their texts by default.',
      listArgumentsSchema,
    ),
    call: (observer, source, args): MessageList => {
      const { base, revision, changes } = listSince(observer, observer.lists.messages, args);
      return {
        ...header(source),
        revision,
        base,
        messages: [...changes.entries],
        removedMessageIds: [...changes.removedIds],
      };
    },
  },
];

function header(source: ObservedSource) {
  return { format: OBSERVER_FORMAT, version: OBSERVER_FORMAT_VERSION, source } as const;
}

function listTool(name: string, description: string, schema: z.ZodType): ListedTool {
  // zod writes a schema of an object for an object.
  const inputSchema = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' }) as ListedTool['inputSchema'];
  return { name, description, inputSchema, annotations: { readOnlyHint: true, openWorldHint: false } };
}

function listSince<T extends { readonly id: string }>(observer: Observer, list: RevisionedList<T>, args: unknown) {
  const changes = list.changesSince(parseAfter(observer, args));
  return { revision: observer.lists.revision, base: changes.isComplete ? null : afterOf(args), changes };
}

/** Returns the revision that the client knows. Null if it is not one of this run. */
function parseAfter(observer: Observer, args: unknown): number | null {
  return observer.lists.parseRevision(afterOf(args));
}

function afterOf(args: unknown): string | null {
  return parseArguments(listArgumentsSchema, args).after ?? null;
}

function parseArguments<S extends z.ZodType>(schema: S, args: unknown): z.output<S> {
  const result = schema.safeParse(args ?? {});
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ObserverToolError(`Argument "${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'invalid'}.`);
}

function newestAgents(list: RevisionedList<ObservedAgent>): readonly ObservedAgent[] {
  const agents = list.values();
  if (agents.length <= MAX_LISTED_AGENTS) return agents;
  return [...agents]
    .sort((a, b) => ((a.lastActiveAt ?? '') < (b.lastActiveAt ?? '') ? 1 : -1))
    .slice(0, MAX_LISTED_AGENTS);
}

/** Adds up the tokens of an agent and of all agents below it. */
function sumSubtree(root: ObservedAgent, agents: readonly ObservedAgent[]): ObservedUsage | null {
  const children = new Map<string, ObservedAgent[]>();
  for (const agent of agents) {
    if (agent.parentId === null) continue;
    const siblings = children.get(agent.parentId);
    if (siblings === undefined) children.set(agent.parentId, [agent]);
    else siblings.push(agent);
  }
  const subtree = new Set([root]);
  // A set also visits what is added meanwhile.
  for (const { id } of subtree) for (const child of children.get(id) ?? []) subtree.add(child);
  const usages = [...subtree].flatMap(({ usage }) => (usage === null ? [] : [usage]));
  return usages.length === 0 ? null : usages.reduce(addUsage);
}

function addUsage(a: ObservedUsage, b: ObservedUsage): ObservedUsage {
  const add = (first: number | null, second: number | null): number | null =>
    first === null || second === null ? null : first + second;
  return {
    inputTokens: add(a.inputTokens, b.inputTokens),
    outputTokens: add(a.outputTokens, b.outputTokens),
    cacheReadTokens: add(a.cacheReadTokens, b.cacheReadTokens),
    cacheWriteTokens: add(a.cacheWriteTokens, b.cacheWriteTokens),
    totalTokens: add(a.totalTokens, b.totalTokens),
    costUsd: add(a.costUsd, b.costUsd),
    costEstimated: a.costEstimated || b.costEstimated,
    complete: a.complete && b.complete,
  };
}
