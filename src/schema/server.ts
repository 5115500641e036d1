import {
  type CircuitBreakerStatus,
  type Latency,
  type McpServer,
  EMPTY_LATENCY,
  UNUSED_CIRCUIT_BREAKER,
  type Polling,
  type ServerHealth,
  type ServerReplica,
  type ToolHealth,
} from '../model/index.js';
import { builder } from './builder.js';
import { CircuitStateEnum, McpServerTypeEnum, ServerStatusEnum, TransportKindEnum } from './enums.js';

export const CircuitBreakerRef = builder.objectRef<CircuitBreakerStatus>('CircuitBreaker').implement({
  description: 'Circuit breaker of one endpoint.',
  fields: (t) => ({
    state: t.expose('state', { type: CircuitStateEnum, description: 'Current state of the circuit breaker.' }),
    consecutiveFailures: t.exposeInt('consecutiveFailures', { description: 'Number of consecutive failed calls.' }),
    openedAt: t.expose('openedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time at which the circuit breaker opened. Null if it is closed.',
    }),
    retryAt: t.expose('retryAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time from which a probe is executed. Null unless the circuit breaker is open.',
    }),
  }),
});

export const LatencyRef = builder.objectRef<Latency>('Latency').implement({
  description: 'Latency of the calls of the last minute. Values are null if there were no calls.',
  fields: (t) => ({
    p50Ms: t.exposeFloat('p50Ms', { nullable: true, description: 'Median latency in milliseconds.' }),
    p95Ms: t.exposeFloat('p95Ms', { nullable: true, description: '95th percentile of the latency in milliseconds.' }),
    p99Ms: t.exposeFloat('p99Ms', { nullable: true, description: '99th percentile of the latency in milliseconds.' }),
  }),
});

const ServerReplicaType = builder.objectRef<ServerReplica>('ServerReplica').implement({
  description: 'Endpoint of a server that may have several.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Id of the server, with a number for each endpoint after the first.' }),
    status: t.expose('status', { type: ServerStatusEnum, description: 'Availability of the endpoint.' }),
    inUse: t.exposeBoolean('inUse', {
      description:
        'Whether calls are routed to the replica. One replica is in use if the state of the server belongs to its process, all healthy ones if they share their state.',
    }),
    inFlight: t.exposeInt('inFlight', { description: 'Number of running and queued calls.' }),
    latency: t.expose('latency', { type: LatencyRef, description: 'Latency of the calls to the endpoint.' }),
    circuitBreaker: t.expose('circuitBreaker', {
      type: CircuitBreakerRef,
      description: 'Circuit breaker of the endpoint.',
    }),
    lastError: t.exposeString('lastError', {
      nullable: true,
      description: 'Current failure of the endpoint. Null if there is none.',
    }),
    connects: t.exposeInt('connects', { description: 'Number of established connections.' }),
    connectionFailures: t.exposeInt('connectionFailures', {
      description: 'Number of failed attempts to connect, or to start the command, and of lost connections.',
    }),
    restarts: t.exposeInt('restarts', { description: 'Number of reconnects and restarts of the endpoint.' }),
    lastAnsweredAt: t.expose('lastAnsweredAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time of the last answer. Null if the endpoint never answered.',
    }),
    lastProbedAt: t.expose('lastProbedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time of the last health probe. Null if no probe was needed, because regular calls were answered.',
    }),
  }),
});

const ToolHealthType = builder.objectRef<ToolHealth>('ToolHealth').implement({
  description: 'Statistics of the calls of one tool on all replicas.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Name of the tool.' }),
    calls: t.exposeInt('calls', { description: 'Number of completed calls, successful or failed.' }),
    failures: t.exposeInt('failures', {
      description: 'Number of calls that were rejected, not answered, or answered with an unusable response.',
    }),
    consecutiveFailures: t.exposeInt('consecutiveFailures', {
      description: 'Number of failures since the last usable response. 0 if the tool works.',
    }),
    lastError: t.exposeString('lastError', {
      nullable: true,
      description: 'Message of the last failure, regardless of its age. Null if no call failed.',
    }),
    lastFailedAt: t.expose('lastFailedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time of the last failure. Null if no call failed.',
    }),
    latency: t.expose('latency', { type: LatencyRef, description: 'Latency of the answered calls of the tool.' }),
  }),
});

const PollingType = builder.objectRef<Polling>('Polling').implement({
  description: 'Poll rate of a server, measured over its last polls.',
  fields: (t) => ({
    wantedHz: t.exposeFloat('wantedHz', {
      description: 'Demanded polls per second, limited by the maximum poll rate of the server.',
    }),
    effectiveHz: t.exposeFloat('effectiveHz', {
      nullable: true,
      description:
        'Measured polls per second. Lower than `wantedHz` if polls take too long. Null before the second poll.',
    }),
    timeShare: t.exposeFloat('timeShare', {
      nullable: true,
      description: 'Share of time spent polling, 0 to 1. Null before the second poll.',
    }),
    maxTimeShare: t.exposeFloat('maxTimeShare', { description: 'Maximum share of time spent polling, 0 to 1.' }),
  }),
});

/** Adds up a counter of all replicas. 0 if no node has measured the server. */
function sumOfReplicas(health: ServerHealth | null, valueOf: (replica: ServerReplica) => number): number {
  return (health?.replicas ?? []).reduce((sum, replica) => sum + valueOf(replica), 0);
}

export const McpServerRef = builder.objectRef<McpServer>('McpServer').implement({
  description:
    'Connected MCP server. Error texts (`lastError`, also of tools and replicas) are null for viewers who can see only some of its agents.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Id of the server: its key in the configuration.' }),
    type: t.expose('type', { type: McpServerTypeEnum, description: 'Server type of the main tools.' }),
    name: t.exposeString('name', {
      description: 'Name that the server reports. Equals `id` before the first connection.',
    }),
    version: t.exposeString('version', {
      nullable: true,
      description: 'Version that the server reports. Null before the first connection.',
    }),
    transport: t.expose('transport', { type: TransportKindEnum, description: 'Transport of the MCP session.' }),
    status: t.expose('status', { type: ServerStatusEnum, description: 'Availability of the server.' }),
    tools: t.field({
      type: ['String'],
      description: 'Names of the tools of the server.',
      resolve: (server) => [...server.tools],
    }),
    agentCount: t.int({
      description: 'Number of known agents of the server, including stale ones.',
      resolve: ({ id }, _args, { store }) => store.countAgents(id),
    }),
    stale: t.exposeBoolean('stale', {
      description: 'Whether the server does not answer and its agents have the last known values.',
    }),
    staleSince: t.expose('staleSince', {
      type: 'DateTime',
      nullable: true,
      description:
        'Time since which the server does not answer. Null if it answers. Agents are removed `removeAfterMs` after this time.',
    }),
    simulated: t.exposeBoolean('simulated', {
      description: 'Whether the server is a simulator, whose agents are not real.',
    }),
    connectedAt: t.expose('connectedAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'Start of the current or last session. Null before the first session, and when the session that a tap observed has ended.',
    }),
    lastSeenAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Time of the last answered poll. Null before the first one.',
      resolve: ({ id }, _args, { store }) => store.serverLastSeenAt(id),
    }),
    lastError: t.exposeString('lastError', {
      nullable: true,
      description: 'Current failure of the server. Null if there is none.',
    }),
    circuitBreaker: t.field({
      type: CircuitBreakerRef,
      description: 'Circuit breaker of the replica in use.',
      resolve: ({ id }, _args, { upstreams }) => upstreams.health(id)?.circuitBreaker ?? UNUSED_CIRCUIT_BREAKER,
    }),
    latency: t.field({
      type: LatencyRef,
      description: 'Latency of the calls to the replica in use.',
      resolve: ({ id }, _args, { upstreams }) => upstreams.health(id)?.latency ?? EMPTY_LATENCY,
    }),
    connects: t.int({
      description: 'Number of established connections to all replicas.',
      resolve: ({ id }, _args, { upstreams }) => sumOfReplicas(upstreams.health(id), ({ connects }) => connects),
    }),
    connectionFailures: t.int({
      description:
        'Number of failed attempts to connect, or to start a command, and of lost connections of all replicas.',
      resolve: ({ id }, _args, { upstreams }) =>
        sumOfReplicas(upstreams.health(id), ({ connectionFailures }) => connectionFailures),
    }),
    restarts: t.int({
      description: 'Number of reconnects and restarts of all replicas.',
      resolve: ({ id }, _args, { upstreams }) => sumOfReplicas(upstreams.health(id), ({ restarts }) => restarts),
    }),
    polling: t.field({
      type: PollingType,
      nullable: true,
      description: 'Poll rate, measured by the node that polls the server. Null if currently unknown.',
      resolve: ({ id }, _args, { upstreams }) => upstreams.health(id)?.polling,
    }),
    replicas: t.field({
      type: [ServerReplicaType],
      description: 'Endpoints of the server: one, unless replicas are configured.',
      resolve: ({ id }, _args, { upstreams }) => [...(upstreams.health(id)?.replicas ?? [])],
    }),
    toolHealth: t.field({
      type: [ToolHealthType],
      description: 'Call statistics of the 64 most recently called tools, ordered by name.',
      resolve: ({ id }, _args, { upstreams }) => [...(upstreams.health(id)?.tools ?? [])],
    }),
  }),
});
