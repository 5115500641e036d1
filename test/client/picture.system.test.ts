import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Agent,
  AgentsDocument,
  type AgentsRequest,
  createSwarmClient,
  type SwarmClient,
} from '../../src/client/index.js';
import { createView } from '../../src/state/index.js';
import { EPOCH_TIME, pictureOf, viewOptions } from '../support/arbitraries.js';
import { DeliveryServer } from '../support/delivery-server.js';
import { expectedEdges } from '../support/reader.js';
import { Relay } from '../support/relay.js';
import { recorder, until } from './looking.js';

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
  });
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
