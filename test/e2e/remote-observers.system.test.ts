import { expect, test } from 'vitest';
import type { ServerConfig } from '../../src/config/index.js';
import { invented, ObservedDirectory } from '../observers/observed-directory.js';
import { request, serverConfig, startApp } from '../support/app.js';
import { Program } from '../support/program.js';
import { waitUntil } from '../support/wait.js';

const { session, path, prompt, call } = invented;

/** Starts the observer of one machine over HTTP and returns it with its URL. */
async function observe(directory: ObservedDirectory, token: string, port = '0'): Promise<readonly [Program, string]> {
  const program = new Program(['observe', 'claude-code', '--port', port, '--root', directory.root], {
    cwd: directory.outside('.'),
    env: { XDG_STATE_HOME: directory.outside('state'), SWARMLENS_OBSERVE_TOKEN: token, LOG_LEVEL: 'silent' },
  });
  const [url] = await program.printed(/http:\S+/);
  return [program, url];
}

function machine(id: string, url: string, token: string): ServerConfig {
  return serverConfig(id, [], {
    endpoint: { type: 'http', url, headers: { Authorization: `Bearer ${token}` } },
    restart: { initialMs: 20, maxMs: 100, maxAttempts: null },
    breaker: { failures: 2, initialMs: 20, maxMs: 100 },
    connectTimeoutMs: 3_000_000,
  });
}

test('one swarmlens shows the agents of two machines, and marks those of a machine that sleeps as stale', async () => {
  const [laptopToken, serverToken] = ['token-of-the-laptop', 'token-of-the-server'];
  await using laptop = await ObservedDirectory.create();
  await using server = await ObservedDirectory.create();
  for (const directory of [laptop, server]) await directory.write(path, prompt(0));
  const [laptopProgram, laptopUrl] = await observe(laptop, laptopToken);
  await using _first = laptopProgram;
  const [serverProgram, serverUrl] = await observe(server, serverToken);
  await using _second = serverProgram;
  const wrong = 'token-of-somebody-else';
  const machines = [
    machine('laptop', laptopUrl, laptopToken),
    machine('server', serverUrl, serverToken),
    machine('wrong', serverUrl, wrong),
  ];
  await using app = await startApp(machines, { heartbeatMs: 50 });
  let state: unknown = null;
  const query = '{ agents { id stale activity { label } } servers { id status lastError } }';
  const until = (expected: unknown): Promise<void> =>
    waitUntil(
      async () => {
        const data = (await request(app, query)).data as { readonly agents: readonly { readonly id: string }[] }; // of the query
        // The machine that answers first comes first.
        state = { ...data, agents: [...data.agents].sort((a, b) => a.id.localeCompare(b.id)) };
        try {
          expect(state).toMatchObject(expected as object); // compared only
          return true;
        } catch {
          return false;
        }
      },
      { state: () => state },
    );
  const laptopAgent = { id: `laptop:${session}`, stale: false };
  const serverAgent = { id: `server:${session}`, stale: false };

  // Sessions with the same id on two machines are two agents.
  await until({ agents: [laptopAgent, serverAgent] });
  const { servers } = state as { servers: readonly { id: string; lastError: string | null }[] }; // of the query
  const error = servers.find(({ id }) => id === 'wrong')?.lastError;
  expect(error).toMatch(/HTTP 401: Wrong token\. Present the value of SWARMLENS_OBSERVE_TOKEN as a bearer token\./);
  expect(JSON.stringify(state)).not.toMatch(/token-of/);

  laptopProgram.kill('SIGTERM');
  expect((await laptopProgram.outcome()).code).toBe(0);
  await until({ agents: [{ ...laptopAgent, stale: true }, serverAgent] });

  await laptop.append(path, call(1, 'a', 'WebFetch'));
  const [again] = await observe(laptop, laptopToken, new URL(laptopUrl).port);
  await using _third = again;
  await until({ agents: [{ ...laptopAgent, activity: { label: 'WebFetch' } }, serverAgent] });
});
