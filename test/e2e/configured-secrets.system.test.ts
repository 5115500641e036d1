import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROGRAM, request, SocketClient } from '../support/app.js';
import { EchoServer, echoingServers, PLANTED, plantedIn } from '../support/echo-servers.js';
import { type Outcome, Program } from '../support/program.js';
import { SpanCollector } from '../support/span-collector.js';
import { waitUntil } from '../support/wait.js';

const REPLACEMENT = 'second amber "falcon" 9';
/** Variables that the configuration refers to, and the token of the trace exporter. */
const ENVIRONMENT = {
  TENANT: PLANTED.header,
  CHILD_SETTING: PLANTED.environment,
  CHILD_KEY: PLANTED.argument,
  TENANT_HOST: PLANTED.host,
  OTEL_EXPORTER_OTLP_HEADERS: `x-api-key=${PLANTED.jwt}`,
  LOG_LEVEL: 'debug',
};

let directory: string;
let echo: EchoServer;
/** Server that only `.mcp.json` lists. */
let unconfigured: EchoServer;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
  echo = await EchoServer.start();
  unconfigured = await EchoServer.start();
  await writeConfig(PLANTED.header);
  // Writes a secret in every way that bypasses the log, when it receives a signal.
  await writeFile(
    join(directory, 'misbehave.mjs'),
    `process.on('SIGUSR2', () => {
       console.log('out', process.env.TENANT);
       console.error('error', { tenant: process.env.TENANT });
       process.emitWarning('warning ' + process.env.TENANT);
       setTimeout(() => {
         throw new Error('thrown', { cause: new Error(process.env.TENANT) });
       }, 10);
     });`,
  );
});

afterAll(async () => {
  await echo[Symbol.asyncDispose]();
  await unconfigured[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** Writes the configuration, with variables instead of secrets where a user would write them, and a `.mcp.json` for discovery. */
async function writeConfig(header: string): Promise<void> {
  const replaced: Record<string, string> = {
    [PLANTED.environment]: '${CHILD_SETTING}',
    [PLANTED.argument]: '${CHILD_KEY}',
    [PLANTED.host]: '${TENANT_HOST}',
  };
  const simulator = { command: process.execPath, args: [PROGRAM, 'simulate', '--type', 'ruv-swarm', '--hz', '10'] };
  const mcpServers = { ...echoingServers(echo.port), simulator };
  let text = JSON.stringify({ mcpServers, swarmlens: { auth: {} } });
  for (const [secret, variable] of Object.entries(replaced)) text = text.replaceAll(secret, variable);
  const escaped = JSON.stringify(PLANTED.header).slice(1, -1);
  text = text.replaceAll(escaped, header === PLANTED.header ? '${TENANT}' : JSON.stringify(header).slice(1, -1));
  await writeFile(join(directory, 'servers.json'), text);
  const { rpc, web } = echoingServers(unconfigured.port);
  await writeFile(join(directory, '.mcp.json'), JSON.stringify({ mcpServers: { rpc, web } }));
}

function expectNothingPlanted(outputs: Readonly<Record<string, string>>): void {
  expect(Object.entries(outputs).flatMap(([name, text]) => plantedIn(`${name}: ${text}`))).toEqual([]);
  expect(JSON.stringify(outputs)).not.toContain(REPLACEMENT.slice(0, 12));
}

async function run(...args: string[]): Promise<Outcome> {
  await using program = new Program(args, { cwd: directory, env: ENVIRONMENT });
  return await program.outcome();
}

test('log, answers, traces and standard error contain no secrets of the configuration, also after a change', async () => {
  await using collector = await SpanCollector.start();
  await using program = new Program(['serve', '--config', 'servers.json', '--port', '0'], {
    cwd: directory,
    env: {
      ...ENVIRONMENT,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '100',
      NODE_OPTIONS: `--import ${pathToFileURL(join(directory, 'misbehave.mjs')).href}`,
    },
  });
  const [, url = ''] = await program.printed(/ready at (\S+)\/graphql/);
  await using client = new SocketClient({ url });
  using notices = client.subscribe<{ notices: { code: string } }>('subscription { notices { code serverId message } }');
  using updates = client.watchAgents({ mode: 'HIGH_FREQUENCY' });
  await updates.until((all) => all.length >= 3);
  const answer = async (): Promise<string> =>
    JSON.stringify(
      await request(
        { url },
        '{ servers { id lastError replicas { lastError } } discovery { candidates { place detail } } }',
      ),
    );
  const before = await answer();

  await writeConfig(REPLACEMENT);
  await notices.until((all) => all.some(({ notices: { code } }) => code === 'CONFIG_APPLIED'));
  let after = '';
  const hasFailedAgain = async (): Promise<boolean> => {
    after = await answer();
    return /"id":"web","lastError":"[^"]*HTTP 503/.test(after);
  };
  await waitUntil(hasFailedAgain, { state: () => after });

  const hasPoll = (): boolean => collector.named('poll').length > 0;
  await waitUntil(hasPoll, { state: () => collector.spans.length });
  const readiness = await (await fetch(`${url}/readyz`)).text();
  const metrics = await (await fetch(`${url}/metrics`)).text();
  program.kill('SIGUSR2');
  const { code, stderr, stdout } = await program.outcome();
  const traces = JSON.stringify(collector.spans);
  expectNothingPlanted({
    before,
    after,
    readiness,
    metrics,
    stderr,
    stdout,
    traces,
    notices: JSON.stringify(notices.results),
  });

  // Each text reached its output.
  expect(code).toBe(1);
  expect(before).toContain('[redacted]');
  expect(after).toContain('[redacted]');
  expect(stderr).toMatch(/^out \[redacted\]$/m);
  expect(stderr).toMatch(/^error \{ tenant: '\[redacted\]' \}$/m);
  expect(stderr).toMatch(/Warning: warning \[redacted\]/);
  expect(stderr).toMatch(/Error: thrown[^]*\[cause\]: Error: \[redacted\]/);
  expect(stderr).toMatch(/"line":".*\[redacted\].*server wrote to stderr/);
});

test('check prints no secrets of the configuration', async () => {
  const outcomes = {
    table: await run('check', '--config', 'servers.json'),
    json: await run('check', '--config', 'servers.json', '--json'),
  };
  for (const [name, { code, stdout, stderr }] of Object.entries(outcomes)) {
    expectNothingPlanted({ [name]: stdout, stderr });
    expect(code).toBe(1);
    expect(stdout).toContain('[redacted]');
  }
});

test('discover prints no secrets of the configuration and of .mcp.json', async () => {
  const { code, stdout, stderr } = await run(
    'discover',
    '--config',
    'servers.json',
    '--port',
    String(echo.port),
    '--json',
  );
  expectNothingPlanted({ stdout, stderr });
  expect([code, stdout.includes('[redacted]')]).toEqual([0, true]);
});

test('tap prints neither its token nor the arguments of its server', async () => {
  const token = ['--token', PLANTED.tcpToken];
  const command = ['--', '/missing/program', '--api-key', PLANTED.argument];
  const outcomes = [
    await run('tap', '--server', 'x', ...token, ...command),
    await run('tap', '--server', 'x', ...token, PLANTED.tcpToken, ...command),
    await run('tap', '--server', 'x', '--url', `ws://ann:${PLANTED.tcpToken}@127.0.0.1`, ...command),
    await run('tap', '--server', 'x', `--token=${PLANTED.header}`, ...command),
  ];
  expectNothingPlanted({ all: JSON.stringify(outcomes) });
  expect(outcomes.map(({ code }) => code)).toEqual([127, 2, 2, 2]);
  expect(outcomes[1]?.stderr).toContain('[redacted]');
});

test('entries with mistakes are reported without their values', async () => {
  const secret = PLANTED.header;
  const servers = {
    a: { url: 'http://127.0.0.1/mcp', headers: { 'X-Tenant': `${secret}\nx` } },
    b: { url: 'http://127.0.0.1/mcp', headers: { [`X-Tenant: ${secret}`]: '' } },
    c: { command: 'x', env: { [`KEY=${secret}`]: '' } },
    d: { command: 'x', args: ['--api-key', `${PLANTED.argument}\0`] },
    e: { url: `htp://ann:${PLANTED.path}@127.0.0.1/${PLANTED.path}` },
    f: { host: `ann:${PLANTED.path}@127.0.0.1`, port: 1 },
    g: { url: `http://ann:%zz${PLANTED.path}@127.0.0.1/` },
    h: { url: 'http://127.0.0.1/mcp', headers: { 'X-Tenant': `${secret}\u{1f98a}` } },
  };
  await writeFile(join(directory, 'invalid.json'), JSON.stringify({ mcpServers: servers }));
  const { code, stdout, stderr } = await run('check', '--config', 'invalid.json');
  expectNothingPlanted({ stdout, stderr });
  expect(code).toBe(2);
  expect([...stderr.matchAll(/is skipped – ([^:]+):/g)].map(([, option]) => option)).toEqual([
    'mcpServers.a.headers.X-Tenant',
    'mcpServers.b.headers',
    'mcpServers.c.env',
    'mcpServers.d.args.1',
    'mcpServers.e.url',
    'mcpServers.f.host',
    'mcpServers.g.url',
    'mcpServers.h.headers.X-Tenant',
  ]);
});
