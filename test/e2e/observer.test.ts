import { cp } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { PROGRAM, request, serverConfig, SocketClient, startApp } from '../support/app.js';
import { waitUntil } from '../support/wait.js';
import { ScenarioFiles } from '../observers/claude-scenario.js';
import { invented, ObservedDirectory } from '../observers/observed-directory.js';

const { session, path, prompt, call, answer } = invented;

const UPDATES = `subscription {
  agentUpdates(serverTypes: [CLAUDE_CODE], mode: HIGH_FREQUENCY) {
    kind
    agents { id serverType status parentId workspace model title activity { kind label since waitingFor } usage { outputTokens complete } }
  }
}`;

interface WireAgent {
  readonly id: string;
  readonly status: string;
  readonly activity: { readonly kind: string; readonly label: string | null } | null;
}

test('an agent of a session changes in agentUpdates when its transcript grows', async () => {
  await using directory = await ObservedDirectory.create();
  await directory.write(path, prompt(0));
  const args = [PROGRAM, 'observe', 'claude-code', '--root', directory.root];
  const env = { XDG_STATE_HOME: directory.outside('state'), LOG_LEVEL: 'silent' };
  const server = serverConfig('claude', args, {
    endpoint: { type: 'stdio', command: process.execPath, args, cwd: process.cwd(), env },
  });
  // Without the notifications of the observer, the server would be polled once in ten minutes.
  await using app = await startApp([server], { heartbeatMs: 600_000 });
  await using client = new SocketClient(app);
  using updates = client.subscribe<{ readonly agentUpdates: { readonly agents: readonly WireAgent[] } }>(UPDATES);
  const latest = (): WireAgent | undefined => updates.data.flatMap(({ agentUpdates }) => agentUpdates.agents).at(-1);

  await updates.until(() => latest() !== undefined);
  expect(latest()).toMatchObject({
    id: `claude:${session}`,
    serverType: 'CLAUDE_CODE',
    status: 'BUSY',
    workspace: 'shop',
    title: null,
    activity: { kind: 'MODEL' },
  });

  await directory.append(path, call(1, 'a', 'WebFetch'));
  await updates.until(() => latest()?.activity?.label === 'WebFetch');
  expect(latest()).toMatchObject({ activity: { kind: 'TOOL' }, model: 'claude-sonnet-5', usage: { outputTokens: 10 } });

  await directory.append(path, answer(2, 'b'));
  await updates.until(() => latest()?.status === 'IDLE');
  expect(latest()).toMatchObject({ activity: null, usage: { outputTokens: 20, complete: true } });
});

test('the agents of a team have parents, children, tasks and messages', async () => {
  await using directory = await ObservedDirectory.create();
  await cp(ScenarioFiles.of('claude-code', 'team').root, directory.root, { recursive: true });
  const args = [PROGRAM, 'observe', 'claude-code', '--root', directory.root, '--show-text', 'titles'];
  const env = { XDG_STATE_HOME: directory.outside('state'), LOG_LEVEL: 'silent' };
  const server = serverConfig('claude', args, {
    endpoint: { type: 'stdio', command: process.execPath, args, cwd: process.cwd(), env },
  });
  await using app = await startApp([server]);
  const query = `{
    agents { name status parent { name } children { name } swarm { name } tasks { title status dependsOnIds } }
    swarms { name tasksTotal }
  }`;
  await waitUntil(async () => JSON.stringify(await request(app, query)).includes('Write the docs'), {
    state: () => 'no tasks',
  });

  expect((await request(app, query)).data).toMatchObject({
    agents: expect.arrayContaining([
      expect.objectContaining({
        name: 'shop',
        status: 'IDLE',
        parent: null,
        children: expect.arrayContaining([{ name: 'writer' }, { name: 'reviewer' }]),
        swarm: { name: 'session-990c349e' },
      }),
      expect.objectContaining({
        name: 'writer',
        status: 'BUSY',
        parent: { name: 'shop' },
        tasks: [{ title: 'Write the docs', status: 'IN_PROGRESS', dependsOnIds: [] }],
      }),
    ]),
    swarms: [{ name: 'session-990c349e', tasksTotal: 2 }],
  });
});

test('a server that observes is of the type CLAUDE_CODE', async () => {
  await using directory = await ObservedDirectory.create();
  const args = [PROGRAM, 'observe', 'claude-code', '--root', directory.root];
  await using app = await startApp([serverConfig('claude', args)]);
  await waitUntil(async () => JSON.stringify(await request(app, '{ servers { type status } }')).includes('"ONLINE"'), {
    state: () => 'offline',
  });

  expect(await request(app, '{ servers { type status agentCount } }')).toMatchObject({
    data: { servers: [{ type: 'CLAUDE_CODE', status: 'ONLINE', agentCount: 0 }] },
  });
});
