import type { AgentMessage, HealthChange, Notice } from '../model/index.js';
import type { WithMissedCount } from '../delivery/index.js';
import { builder } from './builder.js';
import { CircuitStateEnum, McpServerTypeEnum, NoticeSeverityEnum, ServerStatusEnum } from './enums.js';

export const HealthChangeRef = builder.objectRef<WithMissedCount<HealthChange>>('HealthChange').implement({
  description:
    'Transition of a server or of one of its replicas to another status or circuit state. `reason` is null for viewers who can see only some agents of the server.',
  fields: (t) => ({
    serverId: t.exposeID('serverId', { description: 'Id of the server.' }),
    replicaId: t.exposeID('replicaId', {
      nullable: true,
      description: 'Id of the replica. Null if the change concerns the server as a whole or its only endpoint.',
    }),
    previousStatus: t.expose('previousStatus', { type: ServerStatusEnum, description: 'Status before the change.' }),
    status: t.expose('status', { type: ServerStatusEnum, description: 'Status after the change.' }),
    previousCircuitState: t.expose('previousCircuitState', {
      type: CircuitStateEnum,
      description: 'State of the circuit breaker before the change.',
    }),
    circuitState: t.expose('circuitState', {
      type: CircuitStateEnum,
      description: 'State of the circuit breaker after the change.',
    }),
    reason: t.exposeString('reason', { nullable: true, description: 'Reason for the change. Null if unknown.' }),
    timestamp: t.expose('timestamp', { type: 'DateTime', description: 'Time of the change.' }),
    missed: t.exposeInt('missed', {
      description: 'Number of events before this one that were lost because the client was too slow.',
    }),
  }),
});

export const NoticeRef = builder.objectRef<WithMissedCount<Notice>>('Notice').implement({
  description:
    'Message for a person about a server or the node. Viewers who can see only some agents of a server receive notices about the server without details.',
  fields: (t) => ({
    code: t.exposeString('code', {
      description:
        'Stable code in upper case: SERVER_OFFLINE, SERVER_DEGRADED, SERVER_ONLINE, SESSION_ENDED, SERVER_FAILOVER, SERVER_GIVEN_UP, RESTART_FAILED, AGENTS_REMOVED, TOOL_FAILING, TOOL_RECOVERED, AGENT_REJECTED, …',
    }),
    severity: t.expose('severity', { type: NoticeSeverityEnum, description: 'Severity of the notice.' }),
    message: t.exposeString('message', { description: 'Text for a person.' }),
    serverId: t.exposeID('serverId', {
      nullable: true,
      description:
        'Id of the server. Null if the notice concerns the node as a whole; such notices are sent only to viewers who can see all servers.',
    }),
    timestamp: t.expose('timestamp', { type: 'DateTime', description: 'Time of the notice.' }),
    missed: t.exposeInt('missed', {
      description: 'Number of events before this one that were lost because the client was too slow.',
    }),
  }),
});

export const AgentMessageRef = builder.objectRef<WithMissedCount<AgentMessage>>('AgentMessage').implement({
  description:
    'Message from an agent or a person to agents. Contains no ids of agents and swarms that the viewer cannot see.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Global id, `<serverId>:<nativeId>`.' }),
    serverId: t.exposeID('serverId', { description: 'Id of the server that reports the message.' }),
    serverType: t.expose('serverType', {
      type: McpServerTypeEnum,
      description: 'Server type whose tools reported the message.',
    }),
    swarmId: t.exposeID('swarmId', {
      nullable: true,
      description: 'Id of the swarm in which the message was sent. Null if the server does not report it.',
    }),
    fromAgentId: t.exposeID('fromAgentId', {
      nullable: true,
      description: 'Id of the sender. Null if a person sent the message, or if the sender is unknown.',
    }),
    toAgentIds: t.field({
      type: ['ID'],
      description: 'Ids of the recipients, at most 100.',
      resolve: ({ toAgentIds }) => [...toAgentIds],
    }),
    sentAt: t.expose('sentAt', { type: 'DateTime', description: 'Time at which the message was sent.' }),
    text: t.exposeString('text', {
      nullable: true,
      description: 'Text of the message. Null if the server may not show text.',
    }),
    missed: t.exposeInt('missed', {
      description: 'Number of messages before this one that were lost because the client was too slow.',
    }),
  }),
});
