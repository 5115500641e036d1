import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { EVERYONE, NO_AUTHENTICATION } from '../../src/auth/index.js';
import { Demand } from '../../src/collector/demand.js';
import { ActiveStreams, Groups, RateClock } from '../../src/delivery/index.js';
import type { Services } from '../../src/schema/index.js';
import { ErrorMask } from '../../src/server/errors.js';
import { createGraphQL } from '../../src/server/graphql.js';
import { Sharing } from '../../src/server/sharing.js';
import { Store } from '../../src/state/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { ManualClock } from '../support/manual-clock.js';

interface Enveloped {
  readonly schema: object;
  readonly parse: (text: string) => object;
  readonly validate: (schema: object, document: object) => object;
}

test('a document is parsed and validated once, however many ask for it', async () => {
  using groups = new Groups({
    store: new Store({ epoch: 'e', maxTombstones: 1, maxEvents: 1 }),
    demand: new Demand(),
    rateClock: new RateClock(new ManualClock()),
    active: new ActiveStreams(),
    utilization: () => 0,
    onError: () => undefined,
  });
  // Neither parsing nor validating looks at the services.
  const mask = new ErrorMask(silentLogger);
  const sharing = new Sharing(groups, { threshold: null }, mask);
  const services = {} as Services;
  const graphql = createGraphQL({
    services,
    sharing,
    authenticator: NO_AUTHENTICATION,
    mask,
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
    });
  const [one, other] = [enveloped(), enveloped()];
  const document = one.parse('subscription { agentUpdates { nonsense } }');
  expect(other.parse(['subscription { agentUpdates', '{ nonsense } }'].join(' '))).toBe(document);
  expect(other.validate(other.schema, document)).toBe(one.validate(one.schema, document));
  await graphql.dispose();
});
