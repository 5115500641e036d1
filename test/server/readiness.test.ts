import { execute, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { type Restriction, UNRESTRICTED } from '../../src/model/index.js';
import { schema } from '../../src/schema/index.js';
import { AccessSetup, createRestrictedViewer, FakeUpstreams } from '../access/access-setup.js';
import { DeliveryServer } from '../support/delivery-server.js';
import { request } from '../support/app.js';

const FAILURE = 'Redis at 10.0.0.7:6379: WRONGPASS invalid username-password pair';

async function readyz({ url }: DeliveryServer): Promise<string> {
  const response = await fetch(`${url}/readyz`);
  return `${response.status} ${await response.text()}`;
}

async function readiness(server: DeliveryServer): Promise<unknown> {
  return (await request(server, '{ health { readiness { ready reason detail } } }')).data?.['health'];
}

describe('/readyz', () => {
  test('answers with one word while Redis is unreachable, also before the first discovery and without servers', async () => {
    let failure: string | null = FAILURE;
    let discover: () => void = () => undefined;
    const discovered = new Promise<void>((resolve) => (discover = resolve));
    await using server = await DeliveryServer.start({}, { busFailure: () => failure, discovered });
    expect(await readyz(server)).toBe('503 redis-unavailable\n');
    expect(await readiness(server)).toEqual({
      readiness: { ready: false, reason: 'redis-unavailable', detail: FAILURE },
    });
    failure = null;
    expect(await readyz(server)).toBe('503 starting\n');
    discover();
    await discovered;
    expect(await readyz(server)).toBe('200 ready\n');
    expect(await readiness(server)).toEqual({ readiness: { ready: true, reason: null, detail: null } });
    failure = FAILURE;
    expect(await readyz(server)).toBe('503 redis-unavailable\n');
    failure = null;
    expect(await readyz(server)).toBe('200 ready\n');
  });

  test('answers with one word when the first discovery failed, whose error is in the health', async () => {
    const discovered = Promise.reject(new Error('https://user:pw@10.0.0.7 is down'));
    await using server = await DeliveryServer.start({}, { discovered });
    expect(await readyz(server)).toBe('503 starting\n');
    expect(await readiness(server)).toMatchObject({ readiness: { ready: false, reason: 'starting' } });
  });
});

test('Health.readiness explains the reason only to viewers from whom no agents are hidden', async () => {
  using setup = new AccessSetup(new FakeUpstreams(['srv-x']));
  const document = parse('{ health { readiness { ready reason detail } } }');
  const readinessFor = async (restriction: Partial<Restriction>): Promise<unknown> => {
    const context = setup.context(createRestrictedViewer({ ...UNRESTRICTED, ...restriction }));
    const node = { ...context.nodeHealth(), readiness: { reason: 'redis-unavailable', detail: FAILURE } as const };
    const { data } = await execute({ schema, document, contextValue: { ...context, nodeHealth: () => node } });
    return JSON.parse(JSON.stringify(data));
  };
  const reason = { ready: false, reason: 'redis-unavailable' };
  expect(await readinessFor({})).toEqual({ health: { readiness: { ...reason, detail: FAILURE } } });
  for (const restriction of [{ serverIds: ['srv-x'] }, { agentTypes: ['coder'] }])
    expect(await readinessFor(restriction)).toEqual({ health: { readiness: { ...reason, detail: null } } });
});
