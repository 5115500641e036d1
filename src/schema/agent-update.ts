import { RENDER_ONCE, type StreamRate, type StreamUpdate } from '../delivery/index.js';
import { isoTimestamp } from '../shared/index.js';
import { type AgentChange, aggregatePerformance } from '../state/index.js';
import { AgentRef } from './agent.js';
import { builder } from './builder.js';
import { UpdateKindEnum } from './enums.js';
import { PerformanceMetricsRef } from './metrics.js';
import { TopologyChangeRef } from './swarm.js';

const AgentPatchType = builder.objectRef<AgentChange>('AgentPatch').implement({
  description: 'The change of one agent as a JSON Merge Patch.',
  extensions: { [RENDER_ONCE]: true },
  fields: (t) => ({
    id: t.id({ description: '`Agent.id`', resolve: ({ agent }) => agent.id }),
    patch: t.field({
      type: 'JSON',
      description:
        "RFC 7396. It has the Agent type's shape, whatever the operation selects, less what the stream leaves out: changed fields only, all of them for an agent that is new to the stream. A key that it deletes reads as null.",
      resolve: (changed) => changed.patch(),
    }),
  }),
});

const StreamRateType = builder.objectRef<StreamRate>('StreamRate').implement({
  description: 'How fast a stream runs.',
  fields: (t) => ({
    requestedHz: t.exposeFloat('requestedHz', {
      description: "Updates a second: the mode's rate, capped by the connection's `maxHz`; 0 for ON_DEMAND.",
    }),
    effectiveHz: t.exposeFloat('effectiveHz', { description: 'What the reader left of it, mean of the last updates.' }),
  }),
});

export const AgentUpdateRef = builder.objectRef<StreamUpdate>('AgentUpdate').implement({
  description: 'What changed since the update before, in one piece however long that was ago.',
  fields: (t) => ({
    kind: t.field({
      type: UpdateKindEnum,
      description: 'SNAPSHOT first, or when the cursor is unknown or too old; then DELTA.',
      resolve: ({ changes }) => changes.kind,
    }),
    cursor: t.id({
      description:
        'Where this stream now stands; pass it as `after` to go on from here, with the same filters or others.',
      resolve: ({ changes }, _args, { store }) => store.createCursor(changes.position),
    }),
    timestamp: t.field({
      type: 'DateTime',
      description: 'When this update was made.',
      resolve: (_update, _args, { clock }) => isoTimestamp(clock),
    }),
    agents: t.field({
      type: [AgentRef],
      description: 'SNAPSHOT: all that match; DELTA: those that changed, or came to match, whole.',
      resolve: ({ changes }) => changes.agents.map(({ agent }) => agent),
    }),
    patches: t.field({
      type: [AgentPatchType],
      description: 'DELTA: the same changes as patches; empty in a SNAPSHOT.',
      resolve: ({ changes }) => (changes.kind === 'DELTA' ? [...changes.agents] : []),
    }),
    removedAgentIds: t.field({
      type: ['ID'],
      description: 'DELTA: agents that are gone or no longer match.',
      resolve: ({ changes }) => [...changes.removedAgentIds],
    }),
    performanceMetrics: t.field({
      type: PerformanceMetricsRef,
      nullable: true,
      description: 'Of all agents that match, not only the changed; null when `includePerformance` is false.',
      resolve: ({ changes }, _args, { store }) => {
        const { view } = changes.position;
        return view.includePerformance ? aggregatePerformance(store.agentsMatching(view)) : null;
      },
    }),
    topologyChanges: t.field({
      type: [TopologyChangeRef],
      nullable: true,
      description:
        'One for each swarm whose topology changed, edges between agents that match only; null when `includeTopology` is false.',
      resolve: ({ changes }) => changes.topologyChanges && [...changes.topologyChanges],
    }),
    staleServerIds: t.field({
      type: ['ID'],
      description: 'Servers that do not answer now, of those that can have matching agents.',
      resolve: ({ changes }) => [...changes.staleServerIds],
    }),
    rate: t.field({ type: StreamRateType, description: 'How fast this stream runs.', resolve: ({ rate }) => rate }),
  }),
});
