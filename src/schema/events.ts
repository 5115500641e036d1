import type { HealthChange, Notice } from '../model/index.js';
import type { WithMissedCount } from '../delivery/index.js';
import { builder } from './builder.js';
import { CircuitStateEnum, NoticeSeverityEnum, ServerStatusEnum } from './enums.js';

export const HealthChangeRef = builder.objectRef<WithMissedCount<HealthChange>>('HealthChange').implement({
  description:
    'A server, one of its replicas, or the circuit breaker of one, went from one state to another. `reason` is null for viewers who see only a part of its agents.',
  fields: (t) => ({
    serverId: t.exposeID('serverId', { description: 'The server.' }),
    replicaId: t.exposeID('replicaId', {
      nullable: true,
      description: 'The replica whose status and breaker it is; null: the server as a whole, or its only endpoint.',
    }),
    previousStatus: t.expose('previousStatus', { type: ServerStatusEnum, description: 'Its status before.' }),
    status: t.expose('status', { type: ServerStatusEnum, description: 'Its status now.' }),
    previousCircuitState: t.expose('previousCircuitState', {
      type: CircuitStateEnum,
      description: 'Its breaker before.',
    }),
    circuitState: t.expose('circuitState', { type: CircuitStateEnum, description: 'Its breaker now.' }),
    reason: t.exposeString('reason', { nullable: true, description: 'Why, where it is known.' }),
    timestamp: t.expose('timestamp', { type: 'DateTime', description: 'When.' }),
    missed: t.exposeInt('missed', {
      description: 'Events before this one that this reader was too slow for; mostly 0.',
    }),
  }),
});

export const NoticeRef = builder.objectRef<WithMissedCount<Notice>>('Notice').implement({
  description:
    'Something that a person should see. Viewers who see only a part of the agents of a server are told what becomes of the server, without the details.',
  fields: (t) => ({
    code: t.exposeString('code', {
      description:
        'Upper case, stable: SERVER_OFFLINE, SERVER_DEGRADED, SERVER_ONLINE, SERVER_FAILOVER, SERVER_GIVEN_UP, RESTART_FAILED, AGENTS_REMOVED, TOOL_FAILING, TOOL_RECOVERED, AGENT_REJECTED, …',
    }),
    severity: t.expose('severity', { type: NoticeSeverityEnum, description: 'How much it matters.' }),
    message: t.exposeString('message', { description: 'What happened, for a person.' }),
    serverId: t.exposeID('serverId', {
      nullable: true,
      description: 'The server it is about; null: about the whole, and only for viewers who see all servers.',
    }),
    timestamp: t.expose('timestamp', { type: 'DateTime', description: 'When.' }),
    missed: t.exposeInt('missed', {
      description: 'Events before this one that this reader was too slow for; mostly 0.',
    }),
  }),
});
