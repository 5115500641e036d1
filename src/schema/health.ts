import { allowsAllAgents, type CircuitBreakerStatus, isEndedSession, type McpServer } from '../model/index.js';
import { isoTimestamp } from '../shared/index.js';
import { builder } from './builder.js';
import { HealthStatusEnum } from './enums.js';
import type {
  ConnectionHealth,
  EventLoopHealth,
  LimitHealth,
  MemoryHealth,
  NodeHealth,
  Readiness,
} from './node-health.js';
import { CircuitBreakerRef, McpServerRef } from './server.js';

const ConnectionHealthType = builder.objectRef<ConnectionHealth>('ConnectionHealth').implement({
  description: 'Connections of the clients of this node.',
  fields: (t) => ({
    open: t.exposeInt('open', { description: 'Number of open WebSockets.' }),
    subscriptions: t.exposeInt('subscriptions', {
      description: 'Number of running subscriptions over WebSocket and SSE.',
    }),
    slow: t.exposeInt('slow', {
      description:
        'Number of slow WebSockets, whose unsent or unread bytes exceed `maxBufferedBytes`. Slow WebSockets receive no updates until they catch up.',
    }),
    unsentBytes: t.exposeFloat('unsentBytes', {
      description: 'Total number of unsent bytes of all WebSockets in this process.',
    }),
    roundTripP50Ms: t.exposeFloat('roundTripP50Ms', {
      nullable: true,
      description: 'Median round trip of recent pings in milliseconds. Null before the first pong.',
    }),
    roundTripP95Ms: t.exposeFloat('roundTripP95Ms', {
      nullable: true,
      description: '95th percentile of the round trips of recent pings in milliseconds. Null before the first pong.',
    }),
    roundTripP99Ms: t.exposeFloat('roundTripP99Ms', {
      nullable: true,
      description: '99th percentile of the round trips of recent pings in milliseconds. Null before the first pong.',
    }),
    meanRequestedHz: t.exposeFloat('meanRequestedHz', {
      nullable: true,
      description: 'Mean requested rate of the running `agentUpdates` streams with a rate. Null if there are none.',
    }),
    meanEffectiveHz: t.exposeFloat('meanEffectiveHz', {
      nullable: true,
      description: 'Mean effective rate of the running `agentUpdates` streams with a rate. Null if there are none.',
    }),
    minEffectiveHz: t.exposeFloat('minEffectiveHz', {
      nullable: true,
      description: 'Lowest effective rate of the running `agentUpdates` streams with a rate. Null if there are none.',
    }),
  }),
});

const EventLoopHealthType = builder.objectRef<EventLoopHealth>('EventLoopHealth').implement({
  description: 'Event loop of this node since the previous measurement.',
  fields: (t) => ({
    delayP50Ms: t.exposeFloat('delayP50Ms', { description: 'Median delay of timers in milliseconds.' }),
    delayP99Ms: t.exposeFloat('delayP99Ms', { description: '99th percentile of the delay of timers in milliseconds.' }),
    utilization: t.exposeFloat('utilization', { description: 'Share of busy time, 0 to 1.' }),
  }),
});

const MemoryHealthType = builder.objectRef<MemoryHealth>('MemoryHealth').implement({
  description: 'Memory of this node.',
  fields: (t) => ({
    rssBytes: t.exposeFloat('rssBytes', { description: 'Resident set size in bytes.' }),
    heapUsedBytes: t.exposeFloat('heapUsedBytes', { description: 'Used part of the JavaScript heap in bytes.' }),
    heapTotalBytes: t.exposeFloat('heapTotalBytes', { description: 'Size of the JavaScript heap in bytes.' }),
  }),
});

const LimitHealthType = builder.objectRef<LimitHealth>('LimitHealth').implement({
  description: 'Rejections by one limit of this node.',
  fields: (t) => ({
    name: t.exposeString('name', {
      description:
        'Name of the limit under `swarmlens.limits` in the configuration. `batch` and `oncePerSecond` are not configurable.',
    }),
    hits: t.exposeFloat('hits', {
      description: 'Number of requests rejected by this limit since the node started. Always an integer.',
    }),
  }),
});

const ReadinessType = builder.objectRef<Readiness>('Readiness').implement({
  description: 'Readiness of this node for clients, as reported by `/readyz`.',
  fields: (t) => ({
    ready: t.boolean({
      description: 'Whether the node should receive clients.',
      resolve: ({ reason }) => reason === null,
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description:
        'Reason for which the node is not ready: `draining`, `redis-unavailable` or `starting`. Null if the node is ready.',
    }),
    detail: t.string({
      nullable: true,
      description: 'Explanation of the reason. Null if there is none, and for viewers from whom agents are hidden.',
      resolve: ({ detail }, _args, { viewer }) => (allowsAllAgents(viewer.restriction) ? detail : null),
    }),
  }),
});

interface ServerBreaker {
  readonly serverId: string;
  readonly breaker: CircuitBreakerStatus;
}

const ServerBreakerType = builder.objectRef<ServerBreaker>('ServerCircuitBreaker').implement({
  description: 'Server with its circuit breaker.',
  fields: (t) => ({
    serverId: t.exposeID('serverId', { description: 'Id of the server.' }),
    circuitBreaker: t.expose('breaker', { type: CircuitBreakerRef, description: 'Circuit breaker of the server.' }),
  }),
});

export interface HealthSource {
  readonly node: NodeHealth;
  readonly servers: readonly McpServer[];
}

export const HealthRef = builder.objectRef<HealthSource>('Health').implement({
  description: 'Health of the servers that the viewer can see, and of this node.',
  fields: (t) => ({
    status: t.field({
      type: HealthStatusEnum,
      description: 'Overall health, derived from the status of the servers.',
      resolve: ({ servers }) => toHealthStatus(servers),
    }),
    servers: t.field({
      type: [McpServerRef],
      description: 'Servers that the viewer can see.',
      resolve: ({ servers }) => [...servers],
    }),
    breakers: t.field({
      type: [ServerBreakerType],
      description: 'Circuit breakers of the servers, as reported by the nodes that poll them.',
      resolve: ({ servers }, _args, { upstreams }) =>
        servers.flatMap(({ id }) => {
          const breaker = upstreams.health(id)?.circuitBreaker;
          return breaker === undefined ? [] : [{ serverId: id, breaker }];
        }),
    }),
    connections: t.field({
      type: ConnectionHealthType,
      description: 'Connections of the clients of this node.',
      resolve: ({ node }) => node.connections,
    }),
    eventLoop: t.field({
      type: EventLoopHealthType,
      description: 'Event loop of this node.',
      resolve: ({ node }) => node.eventLoop,
    }),
    memory: t.field({
      type: MemoryHealthType,
      description: 'Memory of this node.',
      resolve: ({ node }) => node.memory,
    }),
    limits: t.field({
      type: [LimitHealthType],
      description: 'Client limits of this node with the number of rejections.',
      resolve: ({ node }) => [...node.limits],
    }),
    readiness: t.field({
      type: ReadinessType,
      description: 'Readiness of this node for clients.',
      resolve: ({ node }) => node.readiness,
    }),
    uptimeMs: t.float({ description: 'Uptime of this node in milliseconds.', resolve: ({ node }) => node.uptimeMs }),
    timestamp: t.field({
      type: 'DateTime',
      description: 'Time of the measurement.',
      resolve: (_health, _args, { clock }) => isoTimestamp(clock),
    }),
  }),
});

function toHealthStatus(servers: readonly McpServer[]): 'HEALTHY' | 'DEGRADED' | 'UNHEALTHY' {
  const expected = servers.filter((server) => !isEndedSession(server));
  if (expected.every(({ status }) => status === 'ONLINE')) return 'HEALTHY';
  return expected.some(({ status }) => status === 'ONLINE' || status === 'DEGRADED') ? 'DEGRADED' : 'UNHEALTHY';
}
