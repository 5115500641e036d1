import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { connectSession, type EndpointConfig, type McpSession } from '../../src/mcp/index.js';
import { agentListSchema, observedAgentSchema, OBSERVER_RESOURCES } from '../../src/observer-format/index.js';
import { type RunningObserver, runObserver, type RunObserverOptions } from '../../src/observers/index.js';
import { CALL, connectOptions } from '../mcp/support.js';
import { PROGRAM } from '../support/app.js';
import { ChangeNotifier, waitUntil } from '../support/wait.js';
import { invented, ObservedDirectory } from './observed-directory.js';
import { LOCAL, observerOptions } from './observer-options.js';

const { session, path, prompt, call, answer } = invented;
const TOKEN = 'a-token-of-the-test';

function serve(directory: ObservedDirectory, overrides: Partial<RunObserverOptions> = {}): Promise<RunningObserver> {
  return runObserver(observerOptions(directory, { http: LOCAL, ...overrides }), {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
  });
}

function httpEndpoint({ url }: RunningObserver, headers: Readonly<Record<string, string>> = {}): EndpointConfig {
  return { type: 'http', url: url ?? '', headers: { ...headers } };
}

function stdioEndpoint(directory: ObservedDirectory): EndpointConfig {
  const args = [PROGRAM, 'observe', 'claude-code', '--no-hooks', '--root', directory.root];
  const env = { XDG_STATE_HOME: directory.outside('state'), LOG_LEVEL: 'silent' };
  return { type: 'stdio', command: process.execPath, args, cwd: process.cwd(), env };
}

/** Session that collects the resources about which it was notified. */
class WatchingSession implements AsyncDisposable {
  readonly session: McpSession;
  readonly #updated: unknown[] = [];
  readonly #changes = new ChangeNotifier();

  private constructor(session: McpSession) {
    this.session = session;
    session.onEvent((event) => {
      if (event.kind !== 'NOTIFICATION' || event.method !== 'notifications/resources/updated') return;
      this.#updated.push((event.params as { readonly uri: unknown }).uri); // of the protocol
      this.#changes.notify();
    });
  }

  static async connect(endpoint: EndpointConfig): Promise<WatchingSession> {
    return new WatchingSession(await connectSession(endpoint, connectOptions({ watchesResources: () => true })));
  }

  async list(args: Readonly<Record<string, unknown>> = {}) {
    return agentListSchema.parse((await this.session.callTool('list_agents', args, CALL)).value);
  }

  async agents() {
    return (await this.list()).agents.map((agent) => observedAgentSchema.parse(agent));
  }

  /** Resolves at the next notification about a resource. */
  async notifiedAbout(uri: string): Promise<void> {
    this.#updated.length = 0;
    await this.#changes.until(() => this.#updated.includes(uri), { state: () => this.#updated });
  }

  /** Resolves when the session watches the resources, which counts as a notification about any of them. */
  async watched(): Promise<void> {
    await this.#changes.until(() => this.#updated.includes(undefined), { state: () => this.#updated });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session[Symbol.asyncDispose]();
  }
}

describe.each(['stdio', 'http'] as const)('swarmlens observe over %s', (transport) => {
  test('lists agents, notifies about changes and lists what has changed', async () => {
    await using directory = await ObservedDirectory.create();
    await directory.write(path, prompt(0));
    await using running = transport === 'http' ? await serve(directory) : null;
    await using client = await WatchingSession.connect(
      running === null ? stdioEndpoint(directory) : httpEndpoint(running),
    );
    expect(client.session.identity.name).toBe('swarmlens-observer-claude-code');
    expect(client.session.tools.map(({ name }) => name)).toEqual([
      'list_agents',
      'get_agent',
      'list_tasks',
      'list_messages',
    ]);
    const first = await client.list();
    expect(first).toMatchObject({ base: null, agents: [{ id: session, status: 'working' }] });

    // Changes before the subscription are not announced.
    await client.watched();
    const notified = client.notifiedAbout(OBSERVER_RESOURCES.list_agents);
    await directory.append(path, call(1, 'call', 'WebFetch'));
    await notified;
    // The first state may have been announced as well.
    await waitUntil(async () => (await client.list({ after: first.revision })).agents.length > 0, {
      state: () => first,
    });
    const changed = await client.list({ after: first.revision });
    expect(changed).toMatchObject({ base: first.revision, agents: [{ id: session, activity: { kind: 'tool' } }] });
    await directory.append(path, answer(2, 'end'));
    await waitUntil(async () => (await client.agents())[0]?.status === 'idle', { state: () => 'not idle' });
  });
});

describe('runObserver', () => {
  test('describes one agent, and rejects unknown agents and tools', async () => {
    await using directory = await ObservedDirectory.create();
    await directory.write(path, prompt(0) + call(1, 'a') + answer(2, 'b'));
    await using running = await serve(directory);
    await using client = await WatchingSession.connect(httpEndpoint(running));
    const ask = (args: object) => client.session.callTool('get_agent', { ...args }, CALL);

    expect((await ask({ id: session })).value).toMatchObject({
      agent: { id: session },
      childIds: [],
      subtreeUsage: { outputTokens: 20 },
    });
    expect(await ask({ id: 'nobody' })).toMatchObject({
      isError: true,
      value: 'Unknown agent "nobody". Call list_agents for the ids.',
    });
    expect(await ask({})).toMatchObject({ isError: true });
    await expect(client.session.callTool('write_agent', {}, CALL)).rejects.toThrow('Unknown tool');
  });

  test('accepts only requests with the token when there is one', async () => {
    await using directory = await ObservedDirectory.create();
    await using running = await serve(directory, { token: TOKEN });
    const request = (headers: Record<string, string>): Promise<Response> =>
      fetch(running.url ?? '', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: '{}',
      });

    expect((await request({})).status).toBe(401);
    expect((await request({ authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await request({ authorization: `Bearer ${TOKEN}` })).status).not.toBe(401);
    await using client = await WatchingSession.connect(httpEndpoint(running, { authorization: `Bearer ${TOKEN}` }));
    expect(await client.agents()).toEqual([]);
  });

  test('listens beyond loopback only with a token, and accepts the host of the machine then', async () => {
    await using directory = await ObservedDirectory.create();
    await expect(serve(directory, { http: { ...LOCAL, host: '0.0.0.0' } })).rejects.toThrow('a token is required');
    await using running = await serve(directory, { http: { ...LOCAL, host: '0.0.0.0' }, token: TOKEN });
    const port = Number(new URL(running.url ?? '').port);
    const statusOf = async (headers: Record<string, string>): Promise<number | undefined> => {
      const sent = request({ port, path: '/mcp', method: 'POST', headers: { host: 'laptop.example', ...headers } });
      const responded = once(sent, 'response');
      sent.end('{}');
      const [response] = (await responded) as [IncomingMessage]; // of the event
      response.resume();
      return response.statusCode;
    };
    expect(await statusOf({})).toBe(401);
    expect([401, 403]).not.toContain(await statusOf({ authorization: `Bearer ${TOKEN}` }));
  });

  test.each([{ origin: 'https://example.com' }, { origin: 'null' }])(
    'rejects pages of other origins with %j',
    async (headers) => {
      await using directory = await ObservedDirectory.create();
      await using running = await serve(directory);
      const response = await fetch(running.url ?? '', { method: 'POST', headers, body: '{}' });

      expect(response.status).toBe(403);
    },
  );

  test('applies events of hooks and answers each one with an empty 204', async () => {
    await using directory = await ObservedDirectory.create();
    await directory.write(path, prompt(0) + call(1, 'a'));
    await using running = await serve(directory, { token: TOKEN });
    const authorization = `Bearer ${TOKEN}`;
    await using client = await WatchingSession.connect(httpEndpoint(running, { authorization }));
    const post = async (body: string, headers: Record<string, string> = { authorization }): Promise<unknown> => {
      const url = (running.url ?? '').replace('/mcp', '/hooks/claude-code');
      const response = await fetch(url, { method: 'POST', headers, body });
      return [response.status, await response.text()];
    };
    expect((await client.agents())[0]?.status).toBe('working');

    const event = { session_id: session, hook_event_name: 'PermissionRequest', tool_name: 'Bash', tool_input: {} };
    expect(await post(JSON.stringify(event))).toEqual([204, '']);
    await waitUntil(async () => (await client.agents())[0]?.status === 'waiting', { state: () => 'not waiting' });
    expect((await client.agents())[0]?.activity).toMatchObject({ waitingFor: 'permission', label: 'Bash' });

    expect(await post('{')).toEqual([204, '']);
    expect(await post('{"hook_event_name":"Unknown"}')).toEqual([204, '']);
    expect(await post('{}', {})).toEqual([401, expect.any(String)]);
    expect((await client.list()).problems).toEqual([{ kind: 'malformed-event', count: 1 }]);
  });

  test('ends when its input ends', async () => {
    await using directory = await ObservedDirectory.create();
    const stdin = new PassThrough();
    await using running = await runObserver(observerOptions(directory), {
      stdin,
      stdout: new PassThrough(),
    });
    stdin.end();

    await running.ended;
  });
});
