import { RENDER_ONCE, type StreamUpdate } from '../delivery/index.js';
import { isoTimestamp } from '../shared/index.js';
import type { AgentChange } from '../state/index.js';
import { AgentRef } from './agent.js';
import { builder } from './builder.js';
import { UpdateKindEnum } from './enums.js';
import { PerformanceMetricsRef } from './metrics.js';
import { StreamRateRef } from './stream-rate.js';
import { TopologyChangeRef } from './swarm.js';

const AgentPatchType = builder.objectRef<AgentChange>('AgentPatch').implement({
  description: 'Change of one agent as a JSON Merge Patch.',
  extensions: { [RENDER_ONCE]: true },
  fields: (t) => ({
    id: t.id({ description: 'Id of the changed agent.', resolve: ({ agent }) => agent.id }),
    patch: t.field({
      type: 'JSON',
      description:
        'JSON Merge Patch (RFC 7396) in the shape of the whole `Agent`, regardless of the selection. Contains the changed fields only, or all fields of an agent that is new to the stream, without excluded parts. Deleted keys are null.',
      resolve: (changed) => changed.patch(),
    }),
  }),
});

export const AgentUpdateRef = builder.objectRef<StreamUpdate>('AgentUpdate').implement({
  description: 'Changes since the previous update, conflated into one update regardless of the elapsed time.',
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
    agents: t.field({
      type: [AgentRef],
      description:
        'SNAPSHOT: all matching agents. DELTA: agents that changed or match newly, with all selected fields.',
      resolve: ({ changes }) => changes.agents.map(({ agent }) => agent),
    }),
    patches: t.field({
      type: [AgentPatchType],
      description: 'DELTA: the same changes as patches. Empty in a SNAPSHOT.',
      resolve: ({ changes }) => (changes.kind === 'DELTA' ? [...changes.agents] : []),
    }),
    removedAgentIds: t.field({
      type: ['ID'],
      description: 'DELTA: ids of agents that were removed or no longer match.',
      resolve: ({ changes }) => [...changes.removedAgentIds],
    }),
    performanceMetrics: t.field({
      type: PerformanceMetricsRef,
      nullable: true,
      description:
        'Metrics of all matching agents, not only of the changed ones. Null if `includePerformance` is false.',
      resolve: ({ changes }, _args, { store }) => {
        const { view } = changes.position;
        return view.includePerformance ? store.performanceMetrics(view) : null;
      },
    }),
    topologyChanges: t.field({
      type: [TopologyChangeRef],
      nullable: true,
      description:
        'Topology changes, one for each changed swarm, with edges between matching agents only. Null if `includeTopology` is false.',
      resolve: ({ changes }) => changes.topologyChanges && [...changes.topologyChanges],
    }),
    staleServerIds: t.field({
      type: ['ID'],
      description: 'Ids of servers that do not answer and may have matching agents.',
      resolve: ({ changes }) => [...changes.staleServerIds],
    }),
    rate: t.field({ type: StreamRateRef, description: 'Update rate of this stream.', resolve: ({ rate }) => rate }),
  }),
});
