import { expect, test } from 'vitest';
import type { EndpointConfig } from '../../src/mcp/index.js';
import { request, serverConfig, SocketClient, startApp } from '../support/app.js';
import { EchoServer, echoingServers, PLANTED, plantedIn } from '../support/echo-servers.js';

const EVERYTHING = `{
  servers { id status lastError replicas { id lastError } }
  health { servers { id lastError replicas { lastError } toolHealth { lastError } } }
}`;

/** Converts an entry of the file to an endpoint of a loaded configuration. */
function toEndpoint({ command, ...entry }: Readonly<Record<string, unknown>>): EndpointConfig {
  const endpoint =
    command === undefined
      ? { headers: {}, token: null, ...entry }
      : { type: 'stdio', command, cwd: process.cwd(), ...entry };
  return endpoint as EndpointConfig; // the entries are valid
}

test('answers, notices, health changes and metrics contain no secrets of the configuration', async () => {
  await using echo = await EchoServer.start();
  const entries = Object.entries(echoingServers(echo.port));
  const servers = entries.map(([id, entry]) => ({ ...serverConfig(id, []), endpoint: toEndpoint(entry) }));
  await using app = await startApp(servers, {
    variables: new Map([['TENANT_HOST', PLANTED.host]]),
    auth: null,
  });
  await using client = new SocketClient(app);
  using notices = client.subscribe<{ notices: { serverId: string } }>(
    'subscription { notices { code serverId message } }',
  );
  using changes = client.subscribe('subscription { healthChanges { serverId status circuitState reason } }');
  await request(app, 'mutation { refreshDiscovery { timestamp } }');
  const call = await request(app, 'mutation { callTool(serverId: "web", tool: "x") { isError content } }');
  const answer = await request(app, EVERYTHING);
  expect(answer.errors).toBeUndefined();
  const metrics = await (await fetch(`${app.url}/metrics`)).text();

  const outputs = { answer, call, notices: notices.results, changes: changes.results, metrics };
  expect(Object.entries(outputs).flatMap(([name, output]) => plantedIn(`${name}: ${JSON.stringify(output)}`))).toEqual(
    [],
  );

  // Every failure is there, and most say what was removed.
  const { servers: failed } = answer.data as { servers: { id: string; lastError: string }[] }; // shape of the query
  const errors = Object.fromEntries(failed.map(({ id, lastError }) => [id, lastError]));
  expect(Object.keys(errors).sort()).toEqual(entries.map(([id]) => id).sort());
  expect(errors).toMatchObject({
    web: expect.stringMatching(/HTTP 503: no: \/web\/\[redacted\].*\[redacted\]/),
    rpc: expect.stringMatching(/\/rpc\/\[redacted\].*\[redacted\]/),
    socket: expect.stringMatching(/\/ws\/\[redacted\].*503/),
    printing: expect.stringMatching(/\[redacted\].*short: \[redacted\].*last: \[redacted\]…/),
    missing: expect.stringContaining('command not found: /missing/program'),
    nowhere: expect.stringMatching(/\[redacted\]/),
    unknown: expect.stringMatching(/\[redacted\]/),
  });
});
