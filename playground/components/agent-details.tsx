import { useSignal } from '@preact/signals';
import { type Agent, contextRatioOf } from '@swarmlens/client';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { listTasksOf } from '../model/task-board.js';
import type { SwarmSession } from '../state/page-state.js';
import {
  costOf,
  explainCost,
  formatActivity,
  formatCost,
  formatCount,
  formatEnumValue,
  formatMilliseconds,
  formatPercent,
  formatStatus,
  formatTimeOfDay,
  formatTokens,
  SERVER_TYPE_LABELS,
  TASK_TONES,
  toneOf,
  UNKNOWN_TEXT,
} from '../ui/format.js';
import { InferredMark } from './agent-list.js';
import { Age, AgentLink, Badge, Facts, Meter, ViewLink } from './basics.js';
import { MessageList } from './message-list.js';
import { usePage } from './page-context.js';

type PerformanceField = keyof NonNullable<Agent['performance']>;

/** Labels and formats of performance fields, in the order of the panel. Other fields show their name and number. */
const PERFORMANCE_ROWS: Readonly<
  Partial<Record<PerformanceField, readonly [string, (value: number | null) => string]>>
> = {
  tasksActive: ['open tasks', formatCount],
  tasksCompleted: ['completed', formatCount],
  tasksFailed: ['failed', formatCount],
  successRate: ['success rate', formatPercent],
  activityLevel: ['activity', formatPercent],
  healthScore: ['health', formatPercent],
  cpuUsage: ['CPU', formatPercent],
  memoryUsage: ['memory', formatPercent],
  tokenUsage: ['tokens', formatCount],
  tokenRate: ['tokens per second', formatCount],
  responseTimeMs: ['response time', formatMilliseconds],
  throughput: ['tasks per second', formatCount],
};

/** Time in milliseconds between two queries of the session that does the work of a swarm. */
const SESSION_INTERVAL_MS = 5_000;
/** Maximum number of shown children and tasks. */
const MAX_LINKS = 50;

/** Details of the selected agent, its tasks, messages and changes since the page was opened. */
export function AgentDetails(): JSX.Element | null {
  const page = usePage();
  const { agentId } = page.view;
  const agent = page.selected.value;
  if (agentId === null) return null;
  return (
    <section id="details" class="details panel" aria-label="Selected agent">
      <h2>{agent?.name ?? agentId}</h2>
      <p class="badges">
        {agent === null ? (
          <Badge tone="neutral">{page.stream.value.cursor === null ? 'waiting for the server' : 'not listed'}</Badge>
        ) : (
          <>
            <Badge tone={toneOf(agent)}>{formatStatus(agent)}</Badge>
            {agent.simulated && <Badge tone="neutral">simulated</Badge>}
          </>
        )}
      </p>
      <p class="buttons">
        <button type="button" disabled={agent === null} onClick={() => page.graph.value?.lookAt(agentId)}>
          Show in the graph
        </button>
        <button type="button" onClick={() => page.select(null)}>
          Close
        </button>
      </p>
      {agent === null ? (
        <p class="hint">No agent that you can see has this id. It may have ended.</p>
      ) : (
        <AgentFacts agent={agent} />
      )}
      <Changes agentId={agentId} />
    </section>
  );
}

interface AgentProps {
  readonly agent: Agent;
}

function AgentFacts({ agent }: AgentProps): JSX.Element {
  return (
    <>
      <WorkFacts agent={agent} />
      <Relatives agent={agent} />
      <AgentTasks agentId={agent.id} />
      <Messages agentId={agent.id} />
      <h3>Agent</h3>
      <IdentityFacts agent={agent} />
      <h3>Performance</h3>
      <PerformanceFacts agent={agent} />
    </>
  );
}

function WorkFacts({ agent }: AgentProps): JSX.Element {
  const { activity, usage, context, model } = agent;
  const ratio = contextRatioOf(agent);
  const cost = costOf(agent);
  const now =
    activity === null ? (
      UNKNOWN_TEXT
    ) : (
      <>
        {formatActivity(agent)}
        {activity.inferred && <InferredMark />}
      </>
    );
  return (
    <Facts
      entries={[
        ['now', now],
        ['since', <Age key="since" at={activity?.since ?? null} />],
        ['detail', activity?.detail ?? null],
        ['title', agent.title],
        ['model', model ?? UNKNOWN_TEXT],
        [
          'context',
          ratio === null ? (
            formatCount(context?.usedTokens)
          ) : (
            <>
              <Meter ratio={ratio} label="Context window" /> {formatPercent(ratio)} of{' '}
              {formatNumber(context?.limitTokens)}
            </>
          ),
        ],
        ['tokens', formatTokens(agent)],
        ['input', usage === null ? null : formatNumber(usage.inputTokens)],
        ['output', usage === null ? null : formatNumber(usage.outputTokens)],
        ['cache read', usage === null ? null : formatNumber(usage.cacheReadTokens)],
        ['cache written', usage === null ? null : formatNumber(usage.cacheWriteTokens)],
        [
          'cost',
          <span key="cost" title={explainCost(cost)}>
            {formatCost(cost)}
          </span>,
        ],
      ]}
    />
  );
}

/** Returns the session that does the work of an agent's swarm. A change of it is no update of the agent, so that it is polled. */
function useSwarmSession(agentId: string): SwarmSession | null {
  const page = usePage();
  const session = useSignal<SwarmSession | null>(null);
  useEffect(() => {
    session.value = null;
    const abort = new AbortController();
    const refresh = (): void => {
      page.findSession(agentId, abort.signal).then(
        (found) => {
          if (!abort.signal.aborted) session.value = found;
        },
        // The page shows the state of the connection.
        () => undefined,
      );
    };
    refresh();
    const timer = setInterval(refresh, SESSION_INTERVAL_MS);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [agentId]);
  return session.value;
}

/** Links to the agent that started this one, to those that it started, and to the session that does its work. */
function Relatives({ agent }: AgentProps): JSX.Element | null {
  const { agents } = usePage();
  const session = useSwarmSession(agent.id);
  const { parentId } = agent;
  const children = [...agents.value.values()].filter((other) => other.parentId === agent.id);
  if (parentId === null && children.length === 0 && session === null) return null;
  return (
    <div class="relatives">
      {session !== null && (
        <p>
          <span class="hint">work done by</span> <AgentLink agentId={session.agentId} />
          {session.inferred && <InferredMark />}
        </p>
      )}
      {parentId !== null && (
        <p>
          <span class="hint">started by</span> <AgentLink agentId={parentId} />
        </p>
      )}
      {children.length > 0 && (
        <p>
          <span class="hint">started</span>{' '}
          {children.slice(0, MAX_LINKS).map(({ id }) => (
            <AgentLink key={id} agentId={id} />
          ))}
          {children.length > MAX_LINKS && <span class="hint">and {children.length - MAX_LINKS} more</span>}
        </p>
      )}
    </div>
  );
}

interface AgentIdProps {
  readonly agentId: string;
}

function AgentTasks({ agentId }: AgentIdProps): JSX.Element | null {
  const { tasks } = usePage();
  const own = listTasksOf(agentId, tasks.value.tasks);
  if (own.length === 0) return null;
  return (
    <>
      <h3>Tasks</h3>
      <ul class="agent-tasks">
        {own.slice(0, MAX_LINKS).map((task) => (
          <li key={task.id}>
            <ViewLink change={{ tab: 'tasks', search: task.id }} isReset>
              {task.title ?? task.nativeId}
            </ViewLink>
            <Badge tone={TASK_TONES[task.status]}>{formatEnumValue(task.status)}</Badge>
          </li>
        ))}
        {own.length > MAX_LINKS && <li class="hint">and {own.length - MAX_LINKS} more</li>}
      </ul>
    </>
  );
}

function Messages({ agentId }: AgentIdProps): JSX.Element | null {
  const { messages } = usePage();
  const own = messages.value.messages.filter(
    ({ fromAgentId, toAgentIds }) => fromAgentId === agentId || toAgentIds.includes(agentId),
  );
  if (own.length === 0) return null;
  return (
    <>
      <h3>Messages</h3>
      <MessageList messages={own} />
    </>
  );
}

function IdentityFacts({ agent }: AgentProps): JSX.Element {
  const { topology, neural, serverId, capabilities } = agent;
  return (
    <Facts
      entries={[
        ['type', agent.type],
        ['server', `${serverId} (${SERVER_TYPE_LABELS[agent.serverType]})`],
        ['swarm', agent.swarmId?.slice(serverId.length + 1) ?? UNKNOWN_TEXT],
        ['project', agent.workspace],
        ['id', agent.nativeId],
        ['capabilities', capabilities.length === 0 ? null : capabilities.join(', ')],
        ['role', topology?.role ?? null],
        ['connections', topology === null ? null : `${topology.degree}${topology.inferred ? ', inferred' : ''}`],
        ['cognitive pattern', neural?.cognitivePattern ?? null],
        ['created', agent.createdAt === null ? null : <Ago key="created" at={agent.createdAt} />],
        ['last active', agent.lastActiveAt === null ? null : <Ago key="active" at={agent.lastActiveAt} />],
      ]}
    />
  );
}

interface AgoProps {
  readonly at: string;
}

function Ago({ at }: AgoProps): JSX.Element {
  return (
    <>
      <Age at={at} /> ago
    </>
  );
}

function PerformanceFacts({ agent: { performance } }: AgentProps): JSX.Element {
  const values: Readonly<Record<string, number | null>> = performance ?? {};
  const rows: Readonly<Record<string, readonly [string, (value: number | null) => string]>> = PERFORMANCE_ROWS;
  const names = [...new Set([...Object.keys(rows), ...Object.keys(values)])];
  const described = names.map((name): readonly [label: string, text: ComponentChildren] => {
    const [label, format] = rows[name] ?? [name, formatCount];
    const value = values[name] ?? null;
    return [label, value === null ? null : format(value)];
  });
  const unknown = described.filter(([, text]) => text === null).map(([label]) => label);
  return (
    <>
      <Facts entries={described} />
      {unknown.length > 0 && <p class="hint">Not reported: {unknown.join(', ')}.</p>}
    </>
  );
}

function Changes({ agentId }: AgentIdProps): JSX.Element {
  const { history, stream } = usePage();
  // The history changes with the stream only.
  const entries = stream.value.cursor === null ? [] : history.get(agentId);
  return (
    <>
      <h3>Last changes</h3>
      <ol class="history">
        {entries.length === 0 && <li class="hint">None since this page was opened.</li>}
        {entries.map(({ atMs, text }, index) => (
          <li key={`${atMs} ${index}`}>
            <time>{formatTimeOfDay(atMs)}</time>
            <span>{text}</span>
          </li>
        ))}
      </ol>
    </>
  );
}

function formatNumber(value: number | null | undefined): string {
  return value == null ? UNKNOWN_TEXT : value.toLocaleString('en-US');
}
