import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Agent,
  AgentsDocument,
  type AgentsRequest,
  type AgentStream,
  createSwarmClient,
  type SwarmClient,
} from '../../src/client/index.js';
import { createView } from '../../src/state/index.js';
import { EPOCH_TIME, pictureOf, viewOptions } from '../support/arbitraries.js';
import { DeliveryServer } from '../support/delivery-server.js';
import { expectedEdges } from '../support/reader.js';
import { Relay } from '../support/relay.js';
import { countOf, recorder, type Recorder, until } from './looking.js';

const HASTE = { firstRetryMs: 1, maxRetryMs: 5 };

/** What a query with the same filters answers, less what is not included. */
async function asked(client: SwarmClient, request: AgentsRequest): Promise<ReadonlyMap<string, Agent>> {
  const { serverTypes, agentTypes, swarmIds, includePerformance, includeNeural, includeTopology } = request;
  const { agents } = await client.query(AgentsDocument, { serverTypes, agentTypes, swarmIds });
  return new Map(
    agents.map((agent) => [
      agent.id,
      {
        ...agent,
        ...(!includePerformance && { performance: null }),
        ...(!includeNeural && { neural: null }),
        ...(!includeTopology && { topology: null }),
      },
    ]),
  );
}

function isEqual(one: unknown, other: unknown): boolean {
  try {
    expect(one).toEqual(other);
    return true;
  } catch {
    return false;
  }
}

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: pictureOf('x').map((show) => ({ show })) },
    { weight: 3, arbitrary: viewOptions.map((change) => ({ change })) },
    { weight: 1, arbitrary: fc.constantFrom('remove', 'cut', 'restart', 'leave') },
  ),
  { minLength: 1, maxLength: 10 },
);

describe('the picture of a client', () => {
  test('is what a query gives, after any changes, filters, cuts and restarts', async () => {
    let server = await DeliveryServer.start();
    await using relay = await Relay.start(server.url);
    try {
      await fc.assert(
        fc.asyncProperty(steps, async (history) => {
          await using client = createSwarmClient({ url: relay.url, ...recorder(), ...HASTE });
          const stream = client.agents({}, 'HIGH_FREQUENCY');
          let leave = stream.subscribe(() => undefined);
          for (const step of history) {
            if (step === 'cut') relay.cut();
            else if (step === 'remove') server.store.commit(server.store.removal('x'));
            else if (step === 'restart') {
              await server[Symbol.asyncDispose]();
              server = await DeliveryServer.start();
              relay.target = server.url;
            } else if (step === 'leave') {
              leave();
              leave = stream.subscribe(() => undefined);
            } else if ('show' in step) server.store.commit(server.store.diff(step.show, EPOCH_TIME));
            else stream.change(step.change);
            const { request } = stream.getSnapshot();
            const agents = await asked(client, request);
            const edges = expectedEdges(server.store, createView(request));
            await until(stream, (snapshot) => isEqual([snapshot.agents, snapshot.edges], [agents, edges].map(plain)));
          }
          leave();
        }),
        { numRuns: 25 },
      );
    } finally {
      await server[Symbol.asyncDispose]();
    }
  }, 60_000);
});

/** As the client has it: `serverId` of an edge is not told. */
function plain(map: ReadonlyMap<string, object>): ReadonlyMap<string, object> {
  return new Map(
    [...map].map(([id, value]) => {
      if (!('from' in value && 'serverId' in value)) return [id, value];
      const { serverId: _untold, ...told } = value;
      return [id, told];
    }),
  );
}

describe('a stream of agents', () => {
  let server: DeliveryServer;
  let relay: Relay;

  beforeAll(async () => {
    server = await DeliveryServer.start();
    server.show(0, 3, 0);
    relay = await Relay.start(server.url);
  });

  afterAll(async () => {
    await relay[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  /** A stream that has its picture, and what went over its socket. */
  async function watch(): Promise<{ client: SwarmClient; stream: AgentStream; recorded: Recorder }> {
    const recorded = recorder();
    const client = createSwarmClient({ url: relay.url, ...recorded, ...HASTE });
    const stream = client.agents({}, 'HIGH_FREQUENCY');
    await until(stream, ({ status }) => status === 'LIVE');
    return { client, stream, recorded };
  }

  test('resumes after a lost connection with its cursor, without a snapshot', async () => {
    const { client: made, stream, recorded } = await watch();
    await using client = made;
    using _looking = { [Symbol.dispose]: stream.subscribe(() => undefined) };
    await until(stream, ({ status }) => status === 'LIVE');
    relay.cut();
    await until(client.connection, ({ status }) => status === 'RECONNECTING');
    expect(stream.getSnapshot()).toMatchObject({ status: 'WAITING', error: null });
    expect(stream.getSnapshot().agents.size).toBe(3);
    server.show(1, 2, 1);
    await until(stream, ({ agents }) => agents.get('x:1')?.name === 'agent 1 in round 1');
    expect(countOf(recorded, 'AgentUpdates')).toBe(1);
    expect(recorded.received.filter((text) => text.includes('"SNAPSHOT"') && text.includes('"agents"'))).toHaveLength(
      1,
    );
    expect(recorded.sockets).toHaveLength(2);
    server.show(1, 2, 0);
  });
});
