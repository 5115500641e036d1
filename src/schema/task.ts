import type { StreamUpdate } from '../delivery/index.js';
import { RENDER_ONCE } from '../delivery/index.js';
import type { Task } from '../model/index.js';
import { isoTimestamp } from '../shared/index.js';
import { builder } from './builder.js';
import { McpServerTypeEnum, TaskStatusEnum, UpdateKindEnum } from './enums.js';
import { StreamRateRef } from './stream-rate.js';

export const TaskRef = builder.objectRef<Task>('Task').implement({
  description: 'Task of any connected server. Contains no ids of agents, swarms and tasks that the viewer cannot see.',
  extensions: { [RENDER_ONCE]: true },
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Global id, `<serverId>:<nativeId>`.' }),
    nativeId: t.exposeID('nativeId', { description: 'Id of the task on its server.' }),
    serverId: t.exposeID('serverId', { description: 'Id of the server that reports the task.' }),
    serverType: t.expose('serverType', {
      type: McpServerTypeEnum,
      description: 'Server type whose tools reported the task. May differ from the type of its server.',
    }),
    swarmId: t.exposeID('swarmId', {
      nullable: true,
      description: 'Id of the swarm. Null if the server does not report it.',
    }),
    title: t.exposeString('title', {
      nullable: true,
      description: 'Title of the task. Null if the server reports none, or may not show text.',
    }),
    status: t.expose('status', { type: TaskStatusEnum, description: 'Status of the task.' }),
    agentIds: t.field({
      type: ['ID'],
      description: 'Ids of the assigned agents, at most 100.',
      resolve: ({ agentIds }) => [...agentIds],
    }),
    dependsOnIds: t.field({
      type: ['ID'],
      description: 'Ids of the tasks that must end before this one starts, at most 100.',
      resolve: ({ dependsOnIds }) => [...dependsOnIds],
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time at which the task was created. Null if the server does not report it.',
    }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time at which the task was started. Null if it was not, or if the server does not report it.',
    }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time at which the task ended. Null if it did not, or if the server does not report it.',
    }),
    stale: t.exposeBoolean('stale', {
      description:
        'Whether the values are the last known ones because the server, or the tool that lists the task, does not answer.',
    }),
  }),
});

export const TaskUpdateRef = builder.objectRef<StreamUpdate>('TaskUpdate').implement({
  description: 'Changes of tasks since the previous update, conflated into one update regardless of the elapsed time.',
  fields: (t) => ({
    kind: t.field({
      type: UpdateKindEnum,
      description: 'SNAPSHOT at the start, or if the cursor is unknown or expired. DELTA afterwards.',
      resolve: ({ changes }) => changes.kind,
    }),
    cursor: t.id({
      description:
        'Position of the stream after this update. Pass it as `after` to resume from here, with the same filters or others.',
      resolve: ({ changes }, _args, { store }) => store.createCursor(changes.position),
    }),
    timestamp: t.field({
      type: 'DateTime',
      description: 'Time at which the update was created.',
      resolve: (_update, _args, { clock }) => isoTimestamp(clock),
    }),
    tasks: t.field({
      type: [TaskRef],
      description: 'SNAPSHOT: all matching tasks. DELTA: tasks that changed or match newly.',
      resolve: ({ changes }) => [...changes.tasks],
    }),
    removedTaskIds: t.field({
      type: ['ID'],
      description: 'DELTA: ids of tasks that were removed or no longer match.',
      resolve: ({ changes }) => [...changes.removedTaskIds],
    }),
    staleServerIds: t.field({
      type: ['ID'],
      description: 'Ids of servers that do not answer and may have matching tasks.',
      resolve: ({ changes }) => [...changes.staleServerIds],
    }),
    rate: t.field({ type: StreamRateRef, description: 'Update rate of this stream.', resolve: ({ rate }) => rate }),
  }),
});
