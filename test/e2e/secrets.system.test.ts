import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serverPath } from '../mcp/support.js';
import { type GraphQLAnswer, request, SocketClient } from '../support/app.js';
import { Program } from '../support/program.js';
import { TEXTS_WITH_PASSWORD, SECRETS, SECRET_FRAGMENTS } from '../support/secrets.js';

const PLANTED = [...Object.values(SECRETS), ...TEXTS_WITH_PASSWORD];
const CALLS = ['tell', 'say', 'structure', 'fail', 'refuse', 'mutter'];

let directory: string;
const web = createServer((_request, response) => {
  response.writeHead(503).end(PLANTED.join('\n'));
});

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  web.closeAllConnections();
  web.close();
  await rm(directory, { recursive: true, force: true });
});

interface Noticed {
  readonly notices: { readonly code: string; readonly serverId: string; readonly message: string };
}

/** Configures a server with secrets in all its messages, one with secrets in HTTP errors and one with secrets in stderr. */
async function writeConfig(): Promise<void> {
  const leaky = { command: process.execPath, args: [serverPath('leaky')], env: { SECRETS: JSON.stringify(PLANTED) } };
  const fields = {
    id: 'uuid',
    name: 'label',
    type: 'kind',
    status: 'state',
    capabilities: 'skills',
    swarmId: 'team',
    networkId: 'apiKey',
  };
  const mapping = { agents: { tool: 'list_workers', list: 'workers', fields } };
  const dies = `process.stderr.write(process.env.ALL + "\\nthat was it\\n"); process.exitCode = 1`;
  const { port } = web.address() as AddressInfo; // of a listening TCP server
  const mcpServers = {
    leaky: { ...leaky, swarmlens: { mapping, allowTools: [...CALLS, 'break', 'die'], maxPollHz: 20 } },
    web: {
      type: 'http',
      url: `http://127.0.0.1:${port}/mcp`,
      headers: { authorization: `Bearer ${PLANTED[0] ?? ''}` },
    },
    dying: { command: process.execPath, args: ['--eval', dies], env: { ALL: PLANTED.join('\n') } },
  };
  await writeFile(join(directory, 'leaky.json'), JSON.stringify({ mcpServers }));
}

function expectClean(source: string, text: string): void {
  for (const fragment of SECRET_FRAGMENTS) {
    const at = text.indexOf(fragment);
    expect(at === -1 ? 'clean' : `${source}: …${text.slice(Math.max(0, at - 80), at + 20)}…`).toBe('clean');
  }
  expect(text).not.toContain('a plain word');
}

test('responses, patches, notices and log lines contain no secrets of servers', async () => {
  await writeConfig();
  await using program = new Program(['serve', '--config', 'leaky.json', '--port', '0'], {
    cwd: directory,
    env: { LOG_LEVEL: 'debug' },
  });
  const [, url = ''] = await program.printed(/ready at (\S+)\/graphql/);
  await using client = new SocketClient({ url });
  using stream = client.watchAgents({ mode: 'HIGH_FREQUENCY' });
  using notices = client.subscribe<Noticed>('subscription { notices { code serverId message } }');
  using health = client.subscribe('subscription { healthChanges { serverId status circuitState reason } }');
  using topology = client.subscribe('subscription { topologyChanges { swarmId edges { id from to } } }');
  await stream.until((updates) => updates.filter(({ agentUpdates }) => agentUpdates.patches.length > 0).length >= 3);

  const answers: GraphQLAnswer[] = [];
  const look = async (): Promise<GraphQLAnswer> => {
    const answer = await request(
      { url },
      `{ servers { id name version tools status lastError } agents { id nativeId name type status capabilities swarmId
           neural { networkId } } swarms { id name } health { status servers { id lastError } } }`,
    );
    answers.push(answer);
    return answer;
  };
  const call = async (tool: string): Promise<GraphQLAnswer> => {
    const answer = await request(
      { url },
      'mutation ($tool: String!) { callTool(serverId: "leaky", tool: $tool) { isError content } }',
      { tool },
    );
    answers.push(answer);
    return answer;
  };
  const healthy = await look();
  const results = await CALLS.reduce<Promise<GraphQLAnswer[]>>(
    async (before, tool) => [...(await before), await call(tool)],
    Promise.resolve([]),
  );
  await call('break');
  await notices.until((all) => all.some(({ notices: { code } }) => code === 'TOOL_FAILING'));
  const degraded = await look();
  const died = await call('die');
  await notices.until((all) => all.some(({ notices: { code } }) => code === 'SERVER_OFFLINE'));
  const offline = await look();
  await program.wrote(/unexpected message from server/);
  await program.wrote(/server wrote to stderr.*\n?/);

  for (const answer of answers) expectClean('an answer', JSON.stringify(answer));
  for (const [source, { results: frames }] of Object.entries({ stream, notices, health, topology })) {
    expectClean(source, JSON.stringify(frames));
  }
  expectClean('the log', program.stderr);

  // The redaction marks prove that each text reached the output.
  expect(JSON.stringify(healthy.data?.['servers'])).toContain('"name":"leaky [redacted]","version":"1 [redacted]"');
  expect(JSON.stringify(healthy.data?.['servers'])).toMatch(/"id":"web",.*HTTP 503: \[redacted\]/);
  expect(JSON.stringify(healthy.data?.['servers'])).toMatch(/"id":"dying",.*\[redacted\].*that was it/);
  expect(JSON.stringify(healthy.data?.['agents'])).toMatch(/worker \d+ \[redacted\]/);
  for (const { data, errors } of results) {
    expect(errors).toBeUndefined();
    if (JSON.stringify(data) !== '{"callTool":{"isError":false,"content":"muttered"}}') {
      expect(JSON.stringify(data)).toContain('[redacted]');
    }
  }
  expect(JSON.stringify(degraded.data?.['servers'])).toContain('list_workers: no: [redacted]');
  expect(JSON.stringify(died.errors)).toContain('that was it');
  expect(JSON.stringify(offline.data?.['servers'])).toContain('that was it');
  expect(JSON.stringify(notices.data)).toContain('[redacted]');
  expect(JSON.stringify(stream.data.slice(1).flatMap(({ agentUpdates }) => agentUpdates.patches))).toContain(
    '[redacted]',
  );
  expect(program.stderr).toMatch(/"line":"[^\n]*\[redacted\].*server wrote to stderr/);
  expect(program.stderr).toContain('sanitized data of server');
});
