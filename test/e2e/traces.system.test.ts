import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { simulator, SocketClient, startApp } from '../support/app.js';
import { Program } from '../support/program.js';
import { attributeOf, SpanCollector } from '../support/span-collector.js';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
  await writeFile(join(directory, 'empty.json'), '{"mcpServers":{}}');
  const seen = JSON.stringify(join(directory, 'modules'));
  await writeFile(
    join(directory, 'hooks.mjs'),
    `import { appendFileSync } from 'node:fs';
     export async function resolve(specifier, context, next) {
       const found = await next(specifier, context);
       appendFileSync(${seen}, found.url + '\\n');
       return found;
     }`,
  );
  await writeFile(
    join(directory, 'register.mjs'),
    `import { appendFileSync } from 'node:fs';
     import { createRequire, register } from 'node:module';
     register('./hooks.mjs', import.meta.url);
     const { cache } = createRequire(import.meta.url);
     process.on('exit', () => appendFileSync(${seen}, Object.keys(cache).join('\\n') + '\\n'));`,
  );
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Runs a server, scrapes it once, and returns all ES and CommonJS modules that it loaded. */
async function modulesOf(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  await rm(join(directory, 'modules'), { force: true });
  const NODE_OPTIONS = `--import ${pathToFileURL(join(directory, 'register.mjs')).href}`;
  await using program = new Program(['serve', '--config', 'empty.json', '--port', '0'], {
    cwd: directory,
    env: { ...env, NODE_OPTIONS },
  });
  const [, url] = await program.printed(/ready at (\S+)\/graphql/);
  expect((await fetch(`${url}/metrics`)).status).toBe(200);
  program.kill('SIGTERM');
  expect((await program.outcome()).code).toBe(0);
  return (await readFile(join(directory, 'modules'), 'utf8')).split('\n');
}

test('swarmlens serve loads the OpenTelemetry SDK only when an endpoint is configured', async () => {
  const without = await modulesOf({});
  // prom-client imports the API for one of its default metrics.
  const isSdk = (module: string): boolean => /@opentelemetry\/(?!api\/)/.test(module);
  expect(without.filter(isSdk)).toEqual([]);
  // The recording covers both ES modules and CommonJS.
  expect(without.filter((module) => module.includes('graphql-ws')).length).toBeGreaterThan(0);
  expect(without.filter((module) => module.includes('prom-client')).length).toBeGreaterThan(0);
  const seen = await modulesOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
  expect(seen.filter(isSdk).length).toBeGreaterThan(10);
});

test('swarmlens exports poll, change and delivery of an update as one trace', async () => {
  await using collector = await SpanCollector.start();
  {
    await using app = await startApp([simulator('ruv-swarm', { agents: 4, hz: 60 })], {
      tracesUrl: `${collector.url}/v1/traces`,
    });
    await using client = new SocketClient(app);
    using quick = client.subscribe('subscription { agentUpdates(mode: HIGH_FREQUENCY) { kind } }');
    await quick.until((updates) => updates.length >= 6);
  }
  // The shutdown exports the remaining spans.
  expect([...collector.paths]).toEqual(['/v1/traces']);
  const polls = new Map(collector.named('poll').map((span) => [span.spanId, span]));
  const changes = new Map(collector.named('change').map((span) => [span.spanId, span]));
  const deliveries = collector.named('delivery');
  expect(deliveries.length).toBeGreaterThanOrEqual(3);
  for (const delivery of deliveries) {
    const change = changes.get(delivery.parentSpanId ?? '');
    expect(change && attributeOf(change, 'swarmlens.server.id')).toBe('ruv-swarm');
    expect(attributeOf(delivery, 'swarmlens.readers')).toBe(1);
    expect(BigInt(delivery.startTimeUnixNano) >= BigInt(change?.endTimeUnixNano ?? 0)).toBe(true);
  }
  const whole = deliveries.filter(({ parentSpanId }) => polls.has(changes.get(parentSpanId ?? '')?.parentSpanId ?? ''));
  expect(whole.length).toBeGreaterThanOrEqual(3);
});
