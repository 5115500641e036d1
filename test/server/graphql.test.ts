import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { EVERYONE, NO_AUTHENTICATION } from '../../src/auth/index.js';
import { DEFAULT_LIMITS, MemoryLimitCounters } from '../../src/limits/index.js';
import type { Services } from '../../src/schema/index.js';
import { ErrorMask } from '../../src/server/errors.js';
import { createGraphQL } from '../../src/server/graphql.js';
import { Sharing } from '../../src/server/sharing.js';
import { SubscriptionLimits } from '../../src/server/subscription-limits.js';
import type { Sight } from '../../src/sight/index.js';
import { silentLogger } from '../../src/telemetry/index.js';

interface Enveloped {
  readonly schema: object;
  readonly parse: (text: string) => object;
  readonly validate: (schema: object, document: object) => object;
}

test('a document is parsed and validated once, however many ask for it', async () => {
  // Neither parsing nor validating looks at the services, or at what the viewer sees.
  const mask = new ErrorMask(silentLogger);
  const sharing = new Sharing({ threshold: null }, mask);
  const services = {} as Services;
  const sights = { of: () => ({}) as Sight };
  const counters = new MemoryLimitCounters();
  const graphql = createGraphQL({
    services,
    sights,
    sharing,
    authenticator: NO_AUTHENTICATION,
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
      viewer: EVERYONE,
      requestId: 'r',
      renew: null,
      params: {},
    });
  const [one, other] = [enveloped(), enveloped()];
  const document = one.parse('subscription { agentUpdates { nonsense } }');
  expect(other.parse(['subscription { agentUpdates', '{ nonsense } }'].join(' '))).toBe(document);
  expect(other.validate(other.schema, document)).toBe(one.validate(one.schema, document));
  await graphql.dispose();
});
