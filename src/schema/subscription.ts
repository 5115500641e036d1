import {
  isHealthChange,
  isNotice,
  streamChanges,
  streamEvents,
  streamMetrics,
  type StreamRequest,
  streamTopology,
} from '../delivery/index.js';
import type { PerformanceMode } from '../model/index.js';
import { AgentUpdateRef } from './agent-update.js';
import { parseViewArguments, validateCursor, type ViewArguments } from './arguments.js';
import { builder } from './builder.js';
import { permissionExtension, SHARED_STREAM } from './field-extensions.js';
import type { SchemaContext } from './context.js';
import { McpServerTypeEnum, PerformanceModeEnum } from './enums.js';
import { HealthChangeRef, NoticeRef } from './events.js';
import { PerformanceMetricsRef } from './metrics.js';
import { TopologyChangeRef } from './swarm.js';

builder.subscriptionFields((t) => ({
  agentUpdates: t.field({
    type: AgentUpdateRef,
    description:
      'The agents that match, then what changes of them. The filters are a conjunction. To change filters or mode, complete the subscription and start another with `after`.',
    args: {
      serverTypes: t.arg({
        type: [McpServerTypeEnum],
        description: 'Only agents that these families reported. Empty: none; left out: all.',
      }),
      agentTypes: t.arg.stringList({
        description: 'Only agents of these types, in any case. Empty: none; left out: all.',
      }),
      swarmIds: t.arg.idList({
        description:
          'Only agents of these swarms; a swarm that is not there yet is no error. Empty: none; left out: all.',
      }),
      includePerformance: t.arg.boolean({
        defaultValue: true,
        description: 'Whether `Agent.performance` and `performanceMetrics` are told; null otherwise.',
      }),
      includeNeural: t.arg.boolean({
        defaultValue: true,
        description: 'Whether `Agent.neural` is told; null otherwise.',
      }),
      includeTopology: t.arg.boolean({
        defaultValue: true,
        description: 'Whether `Agent.topology` and `topologyChanges` are told; null otherwise.',
      }),
      mode: t.arg({ type: PerformanceModeEnum, defaultValue: 'NORMAL', description: 'How often it moves at most.' }),
      after: t.arg.id({
        description: '`AgentUpdate.cursor` of an earlier stream: start with what changed since, not with a snapshot.',
      }),
    },
    extensions: { ...permissionExtension('agents:read'), [SHARED_STREAM]: requestOf },
    subscribe: (_root, args, context) => streamChanges(context.streams, requestOf(args, context)),
    resolve: (update) => update,
  }),
  topologyChanges: t.field({
    type: TopologyChangeRef,
    extensions: permissionExtension('agents:read'),
    description: 'The whole topology of each swarm, then what changes of it; at most ten times a second.',
    args: {
      swarmIds: t.arg.idList({
        description: 'Only these swarms; a swarm that is not there yet is no error. Empty: none; left out: all.',
      }),
    },
    subscribe: (_root, args, { streams, maxHz }) => streamTopology(streams, parseViewArguments(args), maxHz),
    resolve: (change) => change,
  }),
  performanceMetrics: t.field({
    type: PerformanceMetricsRef,
    extensions: permissionExtension('agents:read'),
    description: 'What all agents do together, then again whenever it is something else.',
    args: {
      serverTypes: t.arg({
        type: [McpServerTypeEnum],
        description: 'Only agents that these families reported. Empty: none; left out: all.',
      }),
      mode: t.arg({
        type: PerformanceModeEnum,
        defaultValue: 'LOW_FREQUENCY',
        description: 'How often it moves at most.',
      }),
    },
    subscribe: (_root, { serverTypes, mode }, { streams, maxHz }) =>
      streamMetrics(streams, { view: parseViewArguments({ serverTypes }), mode: mode ?? 'LOW_FREQUENCY', maxHz }),
    resolve: (metrics) => metrics,
  }),
  healthChanges: t.field({
    type: HealthChangeRef,
    extensions: permissionExtension('health:read'),
    description: 'Servers and their circuit breakers that go from one state to another, each change once, in order.',
    subscribe: (_root, _args, { streams }) => streamEvents(streams, isHealthChange),
    resolve: (change) => change,
  }),
  notices: t.field({
    type: NoticeRef,
    extensions: permissionExtension('health:read'),
    description: 'What a person should see, from now on.',
    subscribe: (_root, _args, { streams }) => streamEvents(streams, isNotice),
    resolve: (notice) => notice,
  }),
}));

interface AgentUpdatesArguments extends ViewArguments {
  readonly mode?: PerformanceMode | null | undefined;
  readonly after?: string | null | undefined;
}

function requestOf(args: AgentUpdatesArguments, { store, maxHz }: SchemaContext): StreamRequest {
  if (args.after != null) validateCursor('after', args.after);
  const after = args.after == null ? null : store.resolveCursor(args.after);
  return { view: parseViewArguments(args), mode: args.mode ?? 'NORMAL', maxHz, after };
}
