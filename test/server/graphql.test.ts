import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { ANONYMOUS_VIEWER, anonymousAuthenticator } from '../../src/auth/index.js';
import { DEFAULT_LIMITS } from '../../src/config/index.js';
import { MemoryLimitCounters } from '../../src/server/index.js';
import { type ResolverServices, SliceTurns } from '../../src/schema/index.js';
import { ErrorMasker } from '../../src/server/plugins/error-masking.js';
import { createGraphQLHandler } from '../../src/server/graphql-handler.js';
import { SubscriptionSharing } from '../../src/server/sharing/shared-subscriptions.js';
import { SubscriptionLimits } from '../../src/server/plugins/subscription-limits.js';
import type { ScopedServices } from '../../src/access/index.js';
import { silentLogger } from '../../src/telemetry/index.js';

interface Enveloped {
  readonly schema: object;
  readonly parse: (text: string) => object;
  readonly validate: (schema: object, document: object) => object;
}

test('createGraphQLHandler parses and validates equal documents once', async () => {
  // Parsing and validation use neither the services nor the viewer.
  const mask = new ErrorMasker(silentLogger);
  const budget = { maxValues: Infinity, turns: new SliceTurns(), onExceeded: () => undefined };
  const sharing = new SubscriptionSharing({ threshold: null }, mask, budget, budget);
  const services = {} as ResolverServices;
  const accessScopes = { servicesFor: () => ({}) as ScopedServices };
  const counters = new MemoryLimitCounters();
  const graphql = createGraphQLHandler({
    services,
    accessScopes,
    sharing,
    budget,
    authenticator: anonymousAuthenticator,
    mask,
    limits: DEFAULT_LIMITS,
    counters,
    subscriptions: new SubscriptionLimits(DEFAULT_LIMITS, counters),
    logger: silentLogger,
    trusted: null,
    compressFromBytes: null,
  });
  const enveloped = (): Enveloped =>
    graphql.getEnveloped({
      req: new IncomingMessage(new Socket()),
      rateLimit: null,
      viewer: ANONYMOUS_VIEWER,
      requestId: 'r',
      reauthenticate: null,
      params: {},
    });
  const [first, second] = [enveloped(), enveloped()];
  const document = first.parse('subscription { agentUpdates { nonsense } }');
  expect(second.parse(['subscription { agentUpdates', '{ nonsense } }'].join(' '))).toBe(document);
  expect(second.validate(second.schema, document)).toBe(first.validate(first.schema, document));
  await graphql.dispose();
});
