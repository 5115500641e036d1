import {
  type CircuitBreakerStatus,
  type Latency,
  type McpServer,
  EMPTY_LATENCY,
  UNUSED_CIRCUIT_BREAKER,
  type Polling,
  type ServerReplica,
  type ToolHealth,
} from '../model/index.js';
import { builder } from './builder.js';
import { CircuitStateEnum, McpServerTypeEnum, ServerStatusEnum, TransportKindEnum } from './enums.js';

export const CircuitBreakerRef = builder.objectRef<CircuitBreakerStatus>('CircuitBreaker').implement({
  description: "The circuit breaker that all calls to a server's endpoint share.",
  fields: (t) => ({
    state: t.expose('state', { type: CircuitStateEnum, description: 'Whether calls pass.' }),
    consecutiveFailures: t.exposeInt('consecutiveFailures', { description: 'Calls that failed in a row.' }),
    openedAt: t.expose('openedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it opened; null when closed.',
    }),
    retryAt: t.expose('retryAt', { type: 'DateTime', nullable: true, description: 'When it lets a probe through.' }),
  }),
});

export const LatencyRef = builder.objectRef<Latency>('Latency').implement({
  description: 'Percentiles of the calls of the last minute, in milliseconds; null when there was no call.',
  fields: (t) => ({
    p50Ms: t.exposeFloat('p50Ms', { nullable: true, description: 'Median.' }),
    p95Ms: t.exposeFloat('p95Ms', { nullable: true, description: '95th percentile.' }),
    p99Ms: t.exposeFloat('p99Ms', { nullable: true, description: '99th percentile.' }),
  }),
});

const ServerReplicaType = builder.objectRef<ServerReplica>('ServerReplica').implement({
  description: 'One of the endpoints that serve one logical server.',
  fields: (t) => ({
    id: t.exposeID('id', { description: "The server's id, with a number for each endpoint after the first." }),
    status: t.expose('status', { type: ServerStatusEnum, description: 'How this endpoint answers.' }),
    inUse: t.exposeBoolean('inUse', {
      description:
        'Calls go to it: to one replica where what a server knows is known to its one process, to all that are well where they share it.',
    }),
    inFlight: t.exposeInt('inFlight', {
      description: 'Calls under way there, those that wait for their turn included.',
    }),
    latency: t.expose('latency', { type: LatencyRef, description: 'Of the calls to this endpoint.' }),
    circuitBreaker: t.expose('circuitBreaker', {
      type: CircuitBreakerRef,
      description: 'The breaker around the calls to this endpoint.',
    }),
    lastError: t.exposeString('lastError', {
      nullable: true,
      description: 'What is wrong with it now; null when nothing is.',
    }),
    restarts: t.exposeInt('restarts', { description: 'Times that it was connected, or started, again.' }),
    lastAnsweredAt: t.expose('lastAnsweredAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it last answered anything; null: never.',
    }),
    lastProbedAt: t.expose('lastProbedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last asked whether it is there, because nobody had called it; null: there was no need.',
    }),
  }),
});

const ToolHealthType = builder.objectRef<ToolHealth>('ToolHealth').implement({
  description: 'How the calls of one tool went, on all replicas together.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The tool.' }),
    calls: t.exposeInt('calls', { description: 'Calls that were answered, or should have been.' }),
    failures: t.exposeInt('failures', { description: 'Of those: refused, of no use, or not answered.' }),
    consecutiveFailures: t.exposeInt('consecutiveFailures', {
      description: 'Failures since the last answer that was of use; 0: it works.',
    }),
    lastError: t.exposeString('lastError', {
      nullable: true,
      description: 'What the last failure said, however long ago; null: there was none.',
    }),
    lastFailedAt: t.expose('lastFailedAt', { type: 'DateTime', nullable: true, description: 'When that was.' }),
    latency: t.expose('latency', { type: LatencyRef, description: 'Of its calls that were answered.' }),
  }),
});

const PollingType = builder.objectRef<Polling>('Polling').implement({
  description: 'How a server is polled, measured over its last polls.',
  fields: (t) => ({
    wantedHz: t.exposeFloat('wantedHz', {
      description: 'Polls a second that are wanted now, within what the server may be asked.',
    }),
    effectiveHz: t.exposeFloat('effectiveHz', {
      nullable: true,
      description:
        'Polls a second that are made: fewer than wanted when they take too much of its time. Null before the second poll.',
    }),
    timeShare: t.exposeFloat('timeShare', {
      nullable: true,
      description: 'Share of the time in which a poll was under way, 0..1; null before the second poll.',
    }),
    maxTimeShare: t.exposeFloat('maxTimeShare', { description: 'What that share may be at most, 0..1.' }),
  }),
});

export const McpServerRef = builder.objectRef<McpServer>('McpServer').implement({
  description:
    'An MCP server that swarmlens watches. What it says in words (`lastError`, of its tools and replicas too) is null for viewers who see only a part of its agents.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Its key in the configuration.' }),
    type: t.expose('type', { type: McpServerTypeEnum, description: 'Family of its main tools.' }),
    name: t.exposeString('name', { description: 'What it calls itself; its id until it was reached.' }),
    version: t.exposeString('version', { nullable: true, description: 'As it says; null until it was reached.' }),
    transport: t.expose('transport', { type: TransportKindEnum, description: 'How it is reached.' }),
    status: t.expose('status', { type: ServerStatusEnum, description: 'How it answers.' }),
    tools: t.field({
      type: ['String'],
      description: 'Names of the tools it offers.',
      resolve: (server) => [...server.tools],
    }),
    agentCount: t.int({
      description: 'Agents of it in the picture, stale ones included.',
      resolve: ({ id }, _args, { store }) => store.countAgents(id),
    }),
    stale: t.exposeBoolean('stale', { description: 'It does not answer: its agents show last known values.' }),
    staleSince: t.expose('staleSince', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when; null: it answers. Its agents are removed after `removeAfterMs`.',
    }),
    simulated: t.exposeBoolean('simulated', { description: 'It is a simulator: its agents are not real.' }),
    connectedAt: t.expose('connectedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the present or last session began; null before the first.',
    }),
    lastSeenAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it last answered a poll; null before the first.',
      resolve: ({ id }, _args, { store }) => store.serverLastSeenAt(id),
    }),
    lastError: t.exposeString('lastError', {
      nullable: true,
      description: 'What is wrong with it now; null when nothing is.',
    }),
    circuitBreaker: t.field({
      type: CircuitBreakerRef,
      description: 'The breaker around its calls: that of the replica in use.',
      resolve: ({ id }, _args, { upstreams }) => upstreams.health(id)?.circuitBreaker ?? UNUSED_CIRCUIT_BREAKER,
    }),
    latency: t.field({
      type: LatencyRef,
      description: 'Of its calls: those to the replica in use.',
      resolve: ({ id }, _args, { upstreams }) => upstreams.health(id)?.latency ?? EMPTY_LATENCY,
    }),
    polling: t.field({
      type: PollingType,
      nullable: true,
      description: 'How often it is polled, by whichever node does; null: that is not known just now.',
      resolve: ({ id }, _args, { upstreams }) => upstreams.health(id)?.polling,
    }),
    replicas: t.field({
      type: [ServerReplicaType],
      description: 'Its endpoints: one, unless replicas are configured.',
      resolve: ({ id }, _args, { upstreams }) => [...(upstreams.health(id)?.replicas ?? [])],
    }),
    toolHealth: t.field({
      type: [ToolHealthType],
      description: 'Of the tools of it that were called, the last 64, in the order of their names.',
      resolve: ({ id }, _args, { upstreams }) => [...(upstreams.health(id)?.tools ?? [])],
    }),
  }),
});
