import { expect, test } from 'vitest';
import { parseServerHealth } from '../../src/cluster/wire-schemas.js';
import { EMPTY_LATENCY, type ServerHealth, UNUSED_CIRCUIT_BREAKER } from '../../src/model/index.js';

const HEALTH: ServerHealth = {
  circuitBreaker: UNUSED_CIRCUIT_BREAKER,
  latency: EMPTY_LATENCY,
  inFlight: 0,
  calls: 7,
  failures: 1,
  rejectedEntries: 0,
  polling: { wantedHz: 1, effectiveHz: null, timeShare: null, maxTimeShare: 0.5 },
  replicas: [
    {
      id: 's',
      status: 'ONLINE',
      inUse: true,
      inFlight: 0,
      latency: EMPTY_LATENCY,
      circuitBreaker: UNUSED_CIRCUIT_BREAKER,
      lastError: null,
      connects: 3,
      connectionFailures: 2,
      restarts: 2,
      lastAnsweredAt: null,
      lastProbedAt: null,
    },
  ],
  tools: [],
};

test('parseServerHealth keeps every counter and every unknown value of another node', () => {
  expect(parseServerHealth(JSON.stringify(HEALTH))).toEqual(HEALTH);
});

test('parseServerHealth accepts the health of nodes of other versions', () => {
  const [replica] = HEALTH.replicas;
  const { connects: _connects, connectionFailures: _failures, ...earlier } = replica ?? {};
  const parsed = parseServerHealth(JSON.stringify({ ...HEALTH, later: 1, replicas: [{ ...earlier, later: 1 }] }));
  expect(parsed?.replicas).toEqual([{ ...replica, connects: 0, connectionFailures: 0 }]);
});

test.each([undefined, '{', '{}', 'null', JSON.stringify({ ...HEALTH, calls: 'many' })])(
  'parseServerHealth returns null for %j',
  (json) => {
    expect(parseServerHealth(json)).toBeNull();
  },
);
