// A GraphQL server over a picture that changes by itself, without MCP servers: what delivery costs and nothing else.
// Usage: node server.js swarmlens|stock AGENTS CHANGED HZ   – the ready line holds the URL.
//   swarmlens  the program's own server: equal subscriptions share one execution
//   stock      the same schema and streams on graphql-yoga and graphql-ws as their documentation says
import { createServer } from 'node:http';
import { useServer } from 'graphql-ws/use/ws';
import { createYoga } from 'graphql-yoga';
import { WebSocketServer } from 'ws';
import { Collector, Demand } from '../dist/collector/index.js';
import { MemoryBus } from '../dist/bus/index.js';
import { ActiveStreams, Commits, eventLoopUtilization, Groups, RateClock } from '../dist/delivery/index.js';
import { NO_PERFORMANCE } from '../dist/domain/index.js';
import { schema } from '../dist/schema/index.js';
import { startServer } from '../dist/server/index.js';
import { systemClock } from '../dist/shared/index.js';
import { Store } from '../dist/state/index.js';
import { silentLogger } from '../dist/telemetry/index.js';

const [kind, agentCount, changedCount, hz] = process.argv.slice(2);
const total = Number(agentCount);
const changed = Number(changedCount);

const store = new Store({ epoch: 'bench', maxTombstones: 1_000, maxEvents: 16 });
const server = {
  id: 'bench',
  type: 'CUSTOM',
  families: ['CUSTOM'],
  name: 'bench',
  version: null,
  transport: 'STDIO',
  status: 'ONLINE',
  tools: [],
  stale: false,
  simulated: true,
  connectedAt: null,
  lastError: null,
};
let agents = Array.from({ length: total }, (_, index) => agentOf(index, 0));

function agentOf(index, round) {
  return {
    id: `bench:agent-${index}`,
    nativeId: `agent-${index}`,
    serverId: 'bench',
    serverType: 'CUSTOM',
    swarmId: 'bench:swarm',
    name: `agent ${index}`,
    type: 'coder',
    status: round % 2 === 0 ? 'ACTIVE' : 'BUSY',
    capabilities: ['code', 'test'],
    performance: { ...NO_PERFORMANCE, tasksActive: round % 7, tasksCompleted: round, healthScore: 0.5 },
    neural: null,
    topology: null,
    stale: false,
    simulated: true,
    createdAt: null,
    lastActiveAt: new Date().toISOString(),
    lastSeenAt: new Date().toISOString(),
  };
}

let round = 0;
function step() {
  round += 1;
  const from = (round * changed) % total;
  agents = agents.map((agent, index) => ((index - from + total) % total < changed ? agentOf(index, round) : agent));
  store.commit(store.diff({ server, agents, swarms: [], edges: [] }, new Date().toISOString()));
}
step();
setInterval(step, 1000 / Number(hz));

const bus = new MemoryBus();
const demand = new Demand();
const clock = systemClock;
const active = new ActiveStreams();
const rateClock = new RateClock(clock);
const onError = (error) => console.error(error);
const groups = new Groups({ store, demand, rateClock, active, utilization: eventLoopUtilization(), onError });
const streams = { store, demand, commits: new Commits(store), rateClock, active, groups };
const collector = new Collector([], {
  store,
  bus,
  demand,
  clock,
  logger: silentLogger,
  random: Math.random,
  heartbeatMs: 5_000,
});
const services = { store, collector, streams, rateClock, clock, limitToOncePerSecond: async () => undefined };

if (kind === 'swarmlens') {
  const { url } = await startServer({
    host: '127.0.0.1',
    port: 0,
    services,
    activeStreams: active,
    clock,
    logger: silentLogger,
    playgroundDirectory: '/nonexistent',
    discovered: Promise.resolve(),
    delivery: { compressFromBytes: 512, maxBufferedBytes: 262_144, maxSlowMs: 60_000 },
    shutdownMs: 1_000,
  });
  console.log(`ready at ${url}/graphql`);
} else {
  const context = { ...services, clientId: 'bench', maxHz: null };
  const yoga = createYoga({ schema, context, logging: false });
  const http = createServer(yoga);
  const sockets = new WebSocketServer({ server: http, path: '/graphql' });
  useServer(
    {
      execute: (args) => args.rootValue.execute(args),
      subscribe: (args) => args.rootValue.subscribe(args),
      onSubscribe: async (ctx, _id, params) => {
        const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({ ...ctx, params });
        const args = {
          schema,
          operationName: params.operationName,
          document: parse(params.query),
          variableValues: params.variables,
          contextValue: await contextFactory(),
          rootValue: { execute, subscribe },
        };
        const errors = validate(args.schema, args.document);
        return errors.length > 0 ? errors : args;
      },
    },
    sockets,
  );
  http.listen(0, '127.0.0.1', () => console.log(`ready at http://127.0.0.1:${http.address().port}/graphql`));
}
