import type { Viewer } from '../auth/index.js';
import type { Restriction } from '../model/index.js';
import { builder } from './builder.js';
import { McpServerTypeEnum } from './enums.js';

const ViewerRestrictionType = builder.objectRef<Restriction>('ViewerRestriction').implement({
  description:
    'Restriction of a viewer to a part of the state. Lists are combined with AND, and a null list restricts nothing. Hidden items do not exist for the viewer, neither as ids nor in totals, edges or changes.',
  fields: (t) => ({
    serverIds: t.idList({
      nullable: true,
      description: 'Only these servers.',
      resolve: ({ serverIds }) => serverIds && [...serverIds],
    }),
    serverTypes: t.field({
      type: [McpServerTypeEnum],
      nullable: true,
      description: 'Only agents and swarms of these server types, and servers that may have them.',
      resolve: ({ serverTypes }) => serverTypes && [...serverTypes],
    }),
    agentTypes: t.stringList({
      nullable: true,
      description: 'Only agents of these types. Servers and swarms are visible regardless of their agents.',
      resolve: ({ agentTypes }) => agentTypes && [...agentTypes],
    }),
    swarmIds: t.idList({
      nullable: true,
      description: 'Only these swarms, their agents and their servers.',
      resolve: ({ swarmIds }) => swarmIds && [...swarmIds],
    }),
    performance: t.exposeBoolean('performance', {
      description: 'Whether `Agent.performance` and metrics that are computed from it are visible.',
    }),
    neural: t.exposeBoolean('neural', { description: 'Whether `Agent.neural` is visible.' }),
  }),
});

export const ViewerRef = builder.objectRef<Viewer>('Viewer').implement({
  description: 'Caller of an operation, with permissions and restriction.',
  fields: (t) => ({
    subject: t.exposeString('subject', {
      nullable: true,
      description: 'Subject of the token. Null if no token is required.',
    }),
    permissions: t.stringList({
      description: 'Permissions of the viewer: `agents:read`, `health:read`, `tools:call`, `servers:admin`.',
      resolve: ({ permissions }) => [...permissions],
    }),
    restriction: t.expose('restriction', {
      type: ViewerRestrictionType,
      description: 'Restriction of the viewer to a part of the state.',
    }),
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'Time at which the token expires. WebSockets are then closed with 4403. Null if the token does not expire.',
      resolve: ({ expiresAtMs }) => (expiresAtMs === null ? null : new Date(expiresAtMs).toISOString()),
    }),
  }),
});
