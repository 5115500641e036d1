import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { ANONYMOUS_VIEWER, anonymousAuthenticator } from '../../src/auth/index.js';
import { DEFAULT_LIMITS } from '../../src/config/index.js';
import { MemoryLimitCounters } from '../../src/server/index.js';
import type { ResolverServices } from '../../src/schema/index.js';
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

test('a document is parsed and validated once, however many ask for it', async () => {
  // Neither parsing nor validating looks at the services, or at what the viewer sees.
  const mask = new ErrorMasker(silentLogger);
  const sharing = new SubscriptionSharing({ threshold: null }, mask);
  const services = {} as ResolverServices;
  const sights = { servicesFor: () => ({}) as ScopedServices };
  const counters = new MemoryLimitCounters();
  const graphql = createGraphQLHandler({
    services,
    accessScopes: sights,
    sharing,
    authenticator: anonymousAuthenticator,
    mask,
    limits: DEFAULT_LIMITS,
    counters,
    subscriptions: new SubscriptionLimits(DEFAULT_LIMITS, counters),
    logger: silentLogger,
    trusted: null,
  });
  const enveloped = (): Enveloped =>
    graphql.getEnveloped({
      req: new IncomingMessage(new Socket()),
      maxHz: null,
      viewer: ANONYMOUS_VIEWER,
      requestId: 'r',
      reauthenticate: null,
      params: {},
    });
  const [one, other] = [enveloped(), enveloped()];
  const document = one.parse('subscription { agentUpdates { nonsense } }');
  expect(other.parse(['subscription { agentUpdates', '{ nonsense } }'].join(' '))).toBe(document);
  expect(other.validate(other.schema, document)).toBe(one.validate(one.schema, document));
  await graphql.dispose();
});
