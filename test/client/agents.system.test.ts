import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Agent,
  AgentsDocument,
  type AgentStreamRequest,
  createSwarmClient,
  type SwarmClient,
} from '@swarmlens/client';
import { createView } from '../../src/state/index.js';
import { EPOCH_TIME, serverSnapshotOf, viewOptions } from '../support/arbitraries.js';
import { DeliveryServer } from '../support/delivery-server.js';
import { expectedEdges } from '../support/contract-client.js';
import { Relay } from '../support/relay.js';
import { recorder, until } from './wait-for-snapshot.js';

const SHORT_DELAYS = { retryDelayMs: 1, maxRetryDelayMs: 5 };

/** Queries the agents with the filters of a request, without the parts that it does not include. */
async function queryAgents(client: SwarmClient, request: AgentStreamRequest): Promise<ReadonlyMap<string, Agent>> {
  const { serverTypes, agentTypes, swarmIds, includePerformance, includeNeural, includeTopology } = request;
  const { agents } = await client.query(AgentsDocument, { serverTypes, agentTypes, swarmIds });
  return new Map(
    agents.map((agent) => [
      agent.id,
      {
        ...agent,
        ...(!includePerformance && { performance: null, usage: null, context: null }),
        ...(!includeNeural && { neural: null }),
        ...(!includeTopology && { topology: null }),
      },
    ]),
  );
}

function isEqual(actual: unknown, expected: unknown): boolean {
  try {
    expect(actual).toEqual(expected);
    return true;
  } catch {
    return false;
  }
}

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: serverSnapshotOf('x').map((show) => ({ show })) },
    { weight: 3, arbitrary: viewOptions.map((change) => ({ change })) },
    { weight: 1, arbitrary: fc.constantFrom('remove', 'cut', 'restart', 'leave') },
  ),
  { minLength: 1, maxLength: 10 },
);

describe('SwarmClient.agents', () => {
  test('for any changes, filters, lost connections and restarts: the stream holds the agents of a query', async () => {
    let server = await DeliveryServer.start();
    await using relay = await Relay.start(server.url);
    try {
      await fc.assert(
        fc.asyncProperty(steps, async (history) => {
          await using client = createSwarmClient({ url: relay.url, ...recorder(), ...SHORT_DELAYS });
          const stream = client.agents({}, 'HIGH_FREQUENCY');
          let leave = stream.subscribe(() => undefined);
          for (const step of history) {
            if (step === 'cut') relay.cut();
            else if (step === 'remove') server.store.commit(server.store.removalDelta('x'));
            else if (step === 'restart') {
              await server[Symbol.asyncDispose]();
              server = await DeliveryServer.start();
              relay.target = server.url;
            } else if (step === 'leave') {
              leave();
              leave = stream.subscribe(() => undefined);
            } else if ('show' in step) server.store.commit(server.store.diff(step.show, EPOCH_TIME));
            else stream.updateRequest(step.change);
            const { request } = stream.getSnapshot();
            const agents = await queryAgents(client, request);
            const edges = expectedEdges(server.store, createView(request));
            await until(stream, (snapshot) =>
              isEqual([snapshot.agents, snapshot.edges], [agents, edges].map(withoutServerId)),
            );
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

/** Removes `serverId` from edges, which the client does not select. */
function withoutServerId(map: ReadonlyMap<string, object>): ReadonlyMap<string, object> {
  return new Map(
    [...map].map(([id, value]) => {
      if (!('from' in value && 'serverId' in value)) return [id, value];
      const { serverId: _serverId, ...selected } = value;
      return [id, selected];
    }),
  );
}
