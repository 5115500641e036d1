import {
  isHealthChange,
  isNotice,
  RateLimit,
  streamChanges,
  streamEvents,
  streamMessages,
  streamMetrics,
  type StreamRequest,
  streamTopology,
} from '../delivery/index.js';
import type { PerformanceMode } from '../model/index.js';
import type { View } from '../state/index.js';
import { AgentUpdateRef } from './agent-update.js';
import {
  parseTaskViewArguments,
  parseViewArguments,
  type TaskViewArguments,
  validateCursor,
  type ViewArguments,
} from './arguments.js';
import { builder } from './builder.js';
import { permissionExtension, SHARED_STREAM } from './field-extensions.js';
import type { SchemaContext } from './context.js';
import { McpServerTypeEnum, PerformanceModeEnum } from './enums.js';
import { AgentMessageRef, HealthChangeRef, NoticeRef } from './events.js';
import { PerformanceMetricsRef } from './metrics.js';
import { TopologyChangeRef } from './swarm.js';
import { TaskUpdateRef } from './task.js';

builder.subscriptionFields((t) => ({
  agentUpdates: t.field({
    type: AgentUpdateRef,
    description:
      'Sends all matching agents first, then their changes. Filters are combined with AND. To change filters or mode, complete the subscription and start another one with `after`.',
    args: {
      serverTypes: t.arg({
        type: [McpServerTypeEnum],
        description: 'Only agents of these server types. Empty: none. Omitted: all.',
      }),
      agentTypes: t.arg.stringList({
        description: 'Only agents of these types, case-insensitive. Empty: none. Omitted: all.',
      }),
      swarmIds: t.arg.idList({
        description: 'Only agents of these swarms. Unknown swarm ids are allowed. Empty: none. Omitted: all.',
      }),
      includePerformance: t.arg.boolean({
        defaultValue: true,
        description: 'Whether `Agent.performance` and `performanceMetrics` are included. They are null otherwise.',
      }),
      includeNeural: t.arg.boolean({
        defaultValue: true,
        description: 'Whether `Agent.neural` is included. It is null otherwise.',
      }),
      includeTopology: t.arg.boolean({
        defaultValue: true,
        description: 'Whether `Agent.topology` and `topologyChanges` are included. They are null otherwise.',
      }),
      mode: t.arg({ type: PerformanceModeEnum, defaultValue: 'NORMAL', description: 'Maximum update rate.' }),
      after: t.arg.id({
        description:
          '`AgentUpdate.cursor` of an earlier stream. Resumes with the changes since then instead of a snapshot.',
      }),
    },
    extensions: { ...permissionExtension('agents:read'), [SHARED_STREAM]: toStreamRequest },
    subscribe: (_root, args, context) => streamChanges(context.streams, toStreamRequest(args, context)),
    resolve: (update) => update,
  }),
  taskUpdates: t.field({
    type: TaskUpdateRef,
    description:
      'Sends all matching tasks first, then their changes. Filters are combined with AND. To change filters or mode, complete the subscription and start another one with `after`.',
    args: {
      serverTypes: t.arg({
        type: [McpServerTypeEnum],
        description: 'Only tasks of these server types. Empty: none. Omitted: all.',
      }),
      swarmIds: t.arg.idList({
        description: 'Only tasks of these swarms. Unknown swarm ids are allowed. Empty: none. Omitted: all.',
      }),
      agentIds: t.arg.idList({
        description:
          'Only tasks that are assigned to any of these agents. Unknown agent ids are allowed. Empty: none. Omitted: all.',
      }),
      mode: t.arg({ type: PerformanceModeEnum, defaultValue: 'NORMAL', description: 'Maximum update rate.' }),
      after: t.arg.id({
        description:
          '`TaskUpdate.cursor` of an earlier stream. Resumes with the changes since then instead of a snapshot.',
      }),
    },
    extensions: { ...permissionExtension('agents:read'), [SHARED_STREAM]: toTaskStreamRequest },
    subscribe: (_root, args, context) => streamChanges(context.streams, toTaskStreamRequest(args, context)),
    resolve: (update) => update,
  }),
  agentMessages: t.field({
    type: AgentMessageRef,
    extensions: permissionExtension('agents:read'),
    description:
      'Sends new messages between agents, at the latest one second after the server reports them. Messages are no state: they cannot be queried later.',
    args: {
      serverTypes: t.arg({
        type: [McpServerTypeEnum],
        description: 'Only messages of these server types. Empty: none. Omitted: all.',
      }),
      swarmIds: t.arg.idList({
        description: 'Only messages in these swarms. Unknown swarm ids are allowed. Empty: none. Omitted: all.',
      }),
    },
    subscribe: (_root, { serverTypes, swarmIds }, { streams, rateLimit }) =>
      streamMessages(streams, parseViewArguments({ serverTypes, swarmIds }), rateLimit ?? new RateLimit()),
    resolve: (message) => message,
  }),
  topologyChanges: t.field({
    type: TopologyChangeRef,
    extensions: permissionExtension('agents:read'),
    description: 'Sends the complete topology of each swarm first, then its changes, at most ten times per second.',
    args: {
      swarmIds: t.arg.idList({
        description: 'Only these swarms. Unknown swarm ids are allowed. Empty: none. Omitted: all.',
      }),
    },
    subscribe: (_root, args, { streams, rateLimit }) =>
      streamTopology(streams, parseViewArguments(args), rateLimit ?? new RateLimit()),
    resolve: (change) => change,
  }),
  performanceMetrics: t.field({
    type: PerformanceMetricsRef,
    extensions: permissionExtension('agents:read'),
    description: 'Sends the aggregated metrics of all matching agents at the start and after each change.',
    args: {
      serverTypes: t.arg({
        type: [McpServerTypeEnum],
        description: 'Only agents of these server types. Empty: none. Omitted: all.',
      }),
      mode: t.arg({
        type: PerformanceModeEnum,
        defaultValue: 'LOW_FREQUENCY',
        description: 'Maximum update rate.',
      }),
    },
    subscribe: (_root, { serverTypes, mode }, { streams, rateLimit }) =>
      streamMetrics(streams, {
        view: parseViewArguments({ serverTypes }),
        mode: mode ?? 'LOW_FREQUENCY',
        rateLimit: rateLimit ?? new RateLimit(),
      }),
    resolve: (metrics) => metrics,
  }),
  healthChanges: t.field({
    type: HealthChangeRef,
    extensions: permissionExtension('health:read'),
    description: 'Sends each status change of servers, replicas and circuit breakers once, in order.',
    subscribe: (_root, _args, { streams }) => streamEvents(streams, isHealthChange),
    resolve: (change) => change,
  }),
  notices: t.field({
    type: NoticeRef,
    extensions: permissionExtension('health:read'),
    description: 'Sends new notices for a person.',
    subscribe: (_root, _args, { streams }) => streamEvents(streams, isNotice),
    resolve: (notice) => notice,
  }),
}));

interface StreamArguments {
  readonly mode?: PerformanceMode | null | undefined;
  readonly after?: string | null | undefined;
}

function toStreamRequest(args: ViewArguments & StreamArguments, context: SchemaContext): StreamRequest {
  return createStreamRequest(args, () => parseViewArguments(args), context);
}

function toTaskStreamRequest(args: TaskViewArguments & StreamArguments, context: SchemaContext): StreamRequest {
  return createStreamRequest(args, () => parseTaskViewArguments(args), context);
}

function createStreamRequest(
  args: StreamArguments,
  parseView: () => View,
  { store, rateLimit }: SchemaContext,
): StreamRequest {
  if (args.after != null) validateCursor('after', args.after);
  const view = parseView();
  const after = args.after == null ? null : store.resolveCursor(args.after, view);
  return { view, mode: args.mode ?? 'NORMAL', rateLimit: rateLimit ?? new RateLimit(), after };
}
