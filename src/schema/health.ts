import type { CircuitBreakerStatus, McpServer } from '../model/index.js';
import { isoTimestamp } from '../shared/index.js';
import { builder } from './builder.js';
import { HealthStatusEnum } from './enums.js';
import type { ConnectionHealth, EventLoopHealth, LimitHealth, MemoryHealth, NodeHealth } from './node-health.js';
import { CircuitBreakerRef, McpServerRef } from './server.js';

const ConnectionHealthType = builder.objectRef<ConnectionHealth>('ConnectionHealth').implement({
  description: 'The clients of this node.',
  fields: (t) => ({
    open: t.exposeInt('open', { description: 'Open WebSockets.' }),
    subscriptions: t.exposeInt('subscriptions', { description: 'Running subscriptions, over WebSocket and SSE.' }),
    slow: t.exposeInt('slow', {
      description:
        'WebSockets that do not read as fast as they are told, by `maxBufferedBytes`: they are skipped until they have.',
    }),
    unsentBytes: t.exposeFloat('unsentBytes', {
      description: 'Bytes that wait in this process to be sent, all WebSockets together.',
    }),
    roundTripP50Ms: t.exposeFloat('roundTripP50Ms', {
      nullable: true,
      description: 'Median of the last pings, milliseconds.',
    }),
    roundTripP95Ms: t.exposeFloat('roundTripP95Ms', { nullable: true, description: '95th percentile.' }),
    roundTripP99Ms: t.exposeFloat('roundTripP99Ms', { nullable: true, description: '99th percentile.' }),
    meanRequestedHz: t.exposeFloat('meanRequestedHz', {
      nullable: true,
      description: 'Mean of what the running `agentUpdates` with a rate ask for; null when there is none.',
    }),
    meanEffectiveHz: t.exposeFloat('meanEffectiveHz', { nullable: true, description: 'Mean of what they get.' }),
    minEffectiveHz: t.exposeFloat('minEffectiveHz', { nullable: true, description: 'Least of what they get.' }),
  }),
});

const EventLoopHealthType = builder.objectRef<EventLoopHealth>('EventLoopHealth').implement({
  description: "This node's event loop, since the last look at it.",
  fields: (t) => ({
    delayP50Ms: t.exposeFloat('delayP50Ms', { description: 'Median lateness of timers, milliseconds.' }),
    delayP99Ms: t.exposeFloat('delayP99Ms', { description: '99th percentile of the lateness.' }),
    utilization: t.exposeFloat('utilization', { description: 'Share of time in which it was busy, 0..1.' }),
  }),
});

const MemoryHealthType = builder.objectRef<MemoryHealth>('MemoryHealth').implement({
  description: "This node's memory.",
  fields: (t) => ({
    rssBytes: t.exposeFloat('rssBytes', { description: 'Resident set, bytes.' }),
    heapUsedBytes: t.exposeFloat('heapUsedBytes', { description: 'Used part of the JavaScript heap, bytes.' }),
    heapTotalBytes: t.exposeFloat('heapTotalBytes', { description: 'JavaScript heap, bytes.' }),
  }),
});

const LimitHealthType = builder.objectRef<LimitHealth>('LimitHealth').implement({
  description: 'How often clients of this node came up against a limit.',
  fields: (t) => ({
    name: t.exposeString('name', {
      description:
        'Its name under `swarmlens.limits` of the configuration; `batch` and `oncePerSecond` have no option.',
    }),
    hits: t.exposeFloat('hits', { description: 'What was refused because of it since the start: a whole number.' }),
  }),
});

interface ServerBreaker {
  readonly serverId: string;
  readonly breaker: CircuitBreakerStatus;
}

const ServerBreakerType = builder.objectRef<ServerBreaker>('ServerCircuitBreaker').implement({
  description: 'The circuit breaker of one server.',
  fields: (t) => ({
    serverId: t.exposeID('serverId', { description: 'The server.' }),
    circuitBreaker: t.expose('breaker', { type: CircuitBreakerRef, description: 'Its breaker.' }),
  }),
});

export interface HealthSource {
  readonly node: NodeHealth;
  readonly servers: readonly McpServer[];
}

export const HealthRef = builder.objectRef<HealthSource>('Health').implement({
  description: 'Health of the whole: the servers that the viewer sees, and this node.',
  fields: (t) => ({
    status: t.field({
      type: HealthStatusEnum,
      description: 'In one word.',
      resolve: ({ servers }) => statusOf(servers),
    }),
    servers: t.field({ type: [McpServerRef], description: 'All servers.', resolve: ({ servers }) => [...servers] }),
    breakers: t.field({
      type: [ServerBreakerType],
      description: 'The circuit breakers of all servers, as the nodes that call them measure them.',
      resolve: ({ servers }, _args, { upstreams }) =>
        servers.flatMap(({ id }) => {
          const breaker = upstreams.health(id)?.circuitBreaker;
          return breaker === undefined ? [] : [{ serverId: id, breaker }];
        }),
    }),
    connections: t.field({
      type: ConnectionHealthType,
      description: 'The clients of this node.',
      resolve: ({ node }) => node.connections,
    }),
    eventLoop: t.field({
      type: EventLoopHealthType,
      description: 'Its event loop.',
      resolve: ({ node }) => node.eventLoop,
    }),
    memory: t.field({ type: MemoryHealthType, description: 'Its memory.', resolve: ({ node }) => node.memory }),
    limits: t.field({
      type: [LimitHealthType],
      description: 'The limits for clients, all of them, and how often each was reached.',
      resolve: ({ node }) => [...node.limits],
    }),
    uptimeMs: t.float({ description: 'How long it has run, milliseconds.', resolve: ({ node }) => node.uptimeMs }),
    timestamp: t.field({
      type: 'DateTime',
      description: 'When this was read.',
      resolve: (_health, _args, { clock }) => isoTimestamp(clock),
    }),
  }),
});

function statusOf(servers: readonly McpServer[]): 'HEALTHY' | 'DEGRADED' | 'UNHEALTHY' {
  if (servers.every(({ status }) => status === 'ONLINE')) return 'HEALTHY';
  return servers.some(({ status }) => status === 'ONLINE' || status === 'DEGRADED') ? 'DEGRADED' : 'UNHEALTHY';
}
