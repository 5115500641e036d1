import type { GraphqlWsSession } from '../connection/graphql-ws-session.js';
import { TaskUpdatesDocument, type TaskUpdatesSubscription } from '../generated/operations.js';
import { BaseStream, type BaseStreamDeps } from './base-stream.js';
import type { Task, TaskStreamRequest, TaskStreamSnapshot } from './stream-types.js';

/** Stream of tasks, which resumes from its cursor. */
export class SubscribedTaskStream extends BaseStream<TaskStreamSnapshot, TaskStreamSnapshot> {
  readonly #request: TaskStreamRequest;

  constructor(deps: BaseStreamDeps, request: TaskStreamRequest, signal: AbortSignal | undefined) {
    const initial: TaskStreamSnapshot = {
      status: 'IDLE',
      error: null,
      tasks: new Map(),
      cursor: null,
      timestamp: null,
      staleServerIds: [],
      rate: null,
    };
    super(deps, initial, signal);
    this.#request = request;
  }

  protected start(session: GraphqlWsSession): () => void {
    const { cursor } = this.getSnapshot();
    if (cursor !== null) this.markLive();
    const { serverTypes = null, swarmIds = null, agentIds = null, mode = 'NORMAL' } = this.#request;
    const variables = { serverTypes, swarmIds, agentIds, mode, after: cursor };
    const sink = this.sink(({ taskUpdates: update }: TaskUpdatesSubscription) => {
      const tasks = applyTaskUpdate(this.getSnapshot().tasks, update);
      const { timestamp, staleServerIds, rate } = update;
      this.patchLiveSnapshot({ tasks, cursor: update.cursor, timestamp, staleServerIds, rate });
      this.publish(this.getSnapshot());
    });
    return session.start(TaskUpdatesDocument, variables, sink);
  }

  protected initialUpdate(): TaskStreamSnapshot | null {
    const snapshot = this.getSnapshot();
    return snapshot.cursor === null ? null : snapshot;
  }

  protected conflate(_waiting: readonly TaskStreamSnapshot[], next: TaskStreamSnapshot): readonly TaskStreamSnapshot[] {
    return [next];
  }
}

function applyTaskUpdate(
  previous: ReadonlyMap<string, Task>,
  { kind, tasks, removedTaskIds }: TaskUpdatesSubscription['taskUpdates'],
): ReadonlyMap<string, Task> {
  if (kind === 'DELTA' && tasks.length === 0 && removedTaskIds.length === 0) return previous;
  const next = new Map(kind === 'SNAPSHOT' ? [] : previous);
  for (const task of tasks) next.set(task.id, task);
  for (const id of removedTaskIds) next.delete(id);
  return next;
}
