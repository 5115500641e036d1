import type { Viewer } from '../auth/index.js';
import type { Restriction } from '../model/index.js';
import { builder } from './builder.js';
import { McpServerTypeEnum } from './enums.js';

const ViewerRestrictionType = builder.objectRef<Restriction>('ViewerRestriction').implement({
  description:
    'What of the picture a viewer sees: a conjunction. A list that is null leaves nothing out. What is left out does not exist for the viewer, in whatever is asked or told: not as an id, a total, an edge, or a change.',
  fields: (t) => ({
    serverIds: t.idList({
      nullable: true,
      description: 'Only these servers.',
      resolve: ({ serverIds }) => serverIds && [...serverIds],
    }),
    serverTypes: t.field({
      type: [McpServerTypeEnum],
      nullable: true,
      description: 'Only what these families reported, and servers that may have it.',
      resolve: ({ serverTypes }) => serverTypes && [...serverTypes],
    }),
    agentTypes: t.stringList({
      nullable: true,
      description: 'Only agents of these types. Servers and swarms are seen, whatever agents they have.',
      resolve: ({ agentTypes }) => agentTypes && [...agentTypes],
    }),
    swarmIds: t.idList({
      nullable: true,
      description: 'Only these swarms and their agents, and the servers that they are on.',
      resolve: ({ swarmIds }) => swarmIds && [...swarmIds],
    }),
    performance: t.exposeBoolean('performance', {
      description: 'Whether `Agent.performance`, and what is computed of it, is seen.',
    }),
    neural: t.exposeBoolean('neural', { description: 'Whether `Agent.neural` is seen.' }),
  }),
});

export const ViewerRef = builder.objectRef<Viewer>('Viewer').implement({
  description: 'Who asks, and what they may see and do.',
  fields: (t) => ({
    subject: t.exposeString('subject', {
      nullable: true,
      description: 'Whom the token is for; null where nobody has to say who they are.',
    }),
    permissions: t.stringList({
      description: 'Of `agents:read`, `health:read`, `tools:call` and `servers:admin`.',
      resolve: ({ permissions }) => [...permissions],
    }),
    restriction: t.expose('restriction', { type: ViewerRestrictionType, description: 'What is seen of the picture.' }),
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the token expires; a WebSocket is then closed with 4403. Null: never.',
      resolve: ({ expiresAtMs }) => (expiresAtMs === null ? null : new Date(expiresAtMs).toISOString()),
    }),
  }),
});
