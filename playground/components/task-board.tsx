import type { Task } from '@swarmlens/client';
import type { JSX } from 'preact';
import type { TaskColumn } from '../model/task-board.js';
import { hasFilter } from '../model/view-state.js';
import { formatEnumValue, TASK_TONES, UNKNOWN_TEXT } from '../ui/format.js';
import { SearchField } from './agent-toolbar.js';
import { Age, AgentLink, Badge } from './basics.js';
import { MessageList } from './message-list.js';
import { usePage } from './page-context.js';

/** Maximum number of shown agents and dependencies of a task. */
const MAX_LINKS = 8;

/** Tasks by status, and messages between agents. */
export function TasksTab(): JSX.Element {
  const page = usePage();
  const { board, tasks, messages, view } = page;
  const { columns, matching, total } = board.value;
  const { error, cursor } = tasks.value;
  return (
    <section class="tasks" aria-labelledby="tasks-title">
      <div class="toolbar">
        <h2 id="tasks-title">Tasks</h2>
        <SearchField />
        <p id="tasks-count" class="matching" role="status">
          {matching === total ? `${total} tasks` : `${matching} of ${total} tasks shown`}
        </p>
        {hasFilter(view) && (
          <button type="button" onClick={() => page.clearFilters()}>
            Clear filters
          </button>
        )}
      </div>
      {error !== null && <p class="empty">Tasks are unavailable: {error.message}</p>}
      {error === null && total === 0 && (
        <p class="empty">
          {cursor === null ? 'Waiting for the server.' : 'No tasks. They appear here as soon as a server reports one.'}
        </p>
      )}
      <div id="board" class="board">
        {columns.map((column) => (
          <Column key={column.title} column={column} />
        ))}
      </div>
      <section class="card" aria-labelledby="messages-title">
        <h2 id="messages-title">Messages</h2>
        {messages.value.messages.length === 0 ? (
          <p class="hint">No messages between agents since this page was opened.</p>
        ) : (
          <MessageList messages={messages.value.messages} />
        )}
        {messages.value.missed > 0 && <p class="hint">{messages.value.missed} more messages were dropped.</p>}
      </section>
    </section>
  );
}

interface ColumnProps {
  readonly column: TaskColumn;
}

function Column({ column: { title, tasks, total } }: ColumnProps): JSX.Element {
  return (
    <section class="column" aria-label={title}>
      <h3>
        {title} <span class="hint">{total}</span>
      </h3>
      <ul>
        {tasks.map((task) => (
          <TaskCard key={task.id} task={task} />
        ))}
      </ul>
      {total > tasks.length && <p class="hint">{total - tasks.length} older tasks are not shown. Use the search.</p>}
    </section>
  );
}

interface TaskCardProps {
  readonly task: Task;
}

function TaskCard({ task }: TaskCardProps): JSX.Element {
  const { tasks } = usePage();
  const { agentIds, dependsOnIds, status, createdAt, startedAt, endedAt } = task;
  return (
    <li class={task.stale ? 'task stale' : 'task'} title={task.id}>
      <p class="task-title">{task.title ?? task.nativeId}</p>
      <p class="badges">
        <Badge tone={task.stale ? 'neutral' : TASK_TONES[status]}>
          {task.stale ? `stale · was ${formatEnumValue(status)}` : formatEnumValue(status)}
        </Badge>
        <span class="hint">
          {endedAt !== null ? 'ended ' : startedAt !== null ? 'started ' : 'created '}
          <Age at={endedAt ?? startedAt ?? createdAt} />
          {(endedAt ?? startedAt ?? createdAt) === null ? '' : ' ago'}
        </span>
      </p>
      <p>
        <span class="hint">agents</span> {agentIds.length === 0 && UNKNOWN_TEXT}
        {agentIds.slice(0, MAX_LINKS).map((agentId) => (
          <AgentLink key={agentId} agentId={agentId} />
        ))}
        {agentIds.length > MAX_LINKS && <span class="hint">and {agentIds.length - MAX_LINKS} more</span>}
      </p>
      {dependsOnIds.length > 0 && (
        <p>
          <span class="hint">after</span>{' '}
          {dependsOnIds
            .slice(0, MAX_LINKS)
            .map((id) => tasks.value.tasks.get(id)?.title ?? id)
            .join(', ')}
          {dependsOnIds.length > MAX_LINKS && ` and ${dependsOnIds.length - MAX_LINKS} more`}
        </p>
      )}
    </li>
  );
}
