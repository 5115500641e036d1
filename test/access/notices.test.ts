import { parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { ANONYMOUS_VIEWER, createViewer, type Viewer } from '../../src/auth/viewer.js';
import { type Notice, type Restriction, UNRESTRICTED } from '../../src/model/index.js';
import { emptyDelta } from '../../src/state/index.js';
import { EPOCH_TIME, serverOf } from '../support/arbitraries.js';
import { AccessSetup, FakeUpstreams } from './access-setup.js';

function notice(serverId: string | null, message: string, code = 'SERVER_OFFLINE'): Notice {
  return { type: 'notice', code, severity: 'WARNING', message, serverId, timestamp: EPOCH_TIME };
}

function viewerOf(restriction: Partial<Restriction>, permissions: readonly ('health:read' | 'agents:read')[]): Viewer {
  return createViewer({
    subject: 's',
    permissions,
    restriction: { ...UNRESTRICTED, ...restriction },
    expiresAtMs: null,
  });
}

/** Setup with two servers, and three notices: of each server and of the node. */
function createSetup(): AccessSetup {
  const setup = new AccessSetup(new FakeUpstreams(['a', 'b']));
  for (const id of ['a', 'b']) {
    setup.store.commit({ ...emptyDelta(id), server: serverOf(id), events: [notice(id, `about ${id}`)] });
  }
  setup.store.commit({ ...emptyDelta(''), events: [notice(null, 'about the node', 'CONFIG_APPLIED')] });
  return setup;
}

async function messages(setup: AccessSetup, viewer: Viewer, args = ''): Promise<unknown> {
  const { data, errors } = await setup.run(parse(`{ notices${args} { message missed } }`), viewer);
  if (errors !== undefined) return errors;
  const notices = (data?.['notices'] ?? []) as { message: string; missed: number }[]; // the selected fields
  expect(notices.every(({ missed }) => missed === 0)).toBe(true);
  return notices.map(({ message }) => message);
}

describe('Query.notices', () => {
  test('returns the latest notices, oldest first, and as many as requested', async () => {
    using setup = createSetup();
    expect(await messages(setup, ANONYMOUS_VIEWER)).toEqual(['about a', 'about b', 'about the node']);
    expect(await messages(setup, ANONYMOUS_VIEWER, '(last: 2)')).toEqual(['about b', 'about the node']);
    expect(await messages(setup, ANONYMOUS_VIEWER, '(last: null)')).toHaveLength(3);
  });

  test('returns 20 notices by default and at most those that are kept', async () => {
    using setup = createSetup();
    const events = Array.from({ length: 200 }, (_, index) => notice('a', `${index}`));
    setup.store.commit({ ...emptyDelta('a'), events });
    expect(await messages(setup, ANONYMOUS_VIEWER)).toEqual(Array.from({ length: 20 }, (_, index) => `${180 + index}`));
    expect(await messages(setup, ANONYMOUS_VIEWER, '(last: 1024)')).toHaveLength(100);
  });

  test.each([0, -1, 1_025])('rejects %d as the number of notices', async (last) => {
    using setup = createSetup();
    expect(await messages(setup, ANONYMOUS_VIEWER, `(last: ${last})`)).toEqual([
      expect.objectContaining({
        code: 'BAD_USER_INPUT',
        message: `Argument "last" is ${last}, expected a whole number from 1 to 1024.`,
      }),
    ]);
  });

  test('returns to a restricted viewer only the notices of visible servers, also those before its first request', async () => {
    using setup = createSetup();
    const viewer = viewerOf({ serverIds: ['a'] }, ['health:read']);
    expect(await messages(setup, viewer)).toEqual(['about a']);
    setup.store.commit({ ...emptyDelta('b'), events: [notice('b', 'again about b')] });
    setup.store.commit({ ...emptyDelta('a'), events: [notice('a', 'again about a')] });
    expect(await messages(setup, viewer)).toEqual(['about a', 'again about a']);
  });

  test('removes the details for viewers who see only some agents of a server', async () => {
    using setup = createSetup();
    const viewer = viewerOf({ serverIds: ['a'], agentTypes: ['coder'] }, ['health:read']);
    expect(await messages(setup, viewer)).toEqual([
      'a: SERVER_OFFLINE. Details are visible to viewers who can see all agents of the server.',
    ]);
  });

  test('requires the permission health:read', async () => {
    using setup = createSetup();
    expect(await messages(setup, viewerOf({}, ['agents:read']))).toEqual([
      expect.objectContaining({ code: 'FORBIDDEN' }),
    ]);
  });
});
