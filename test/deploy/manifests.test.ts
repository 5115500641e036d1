import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { type Config, loadConfig } from '../../src/config/index.js';
import { TokenDirectory } from '../auth/files.js';
import { runInProcess } from '../cli/run-command.js';
import { PROGRAM, startApp } from '../support/app.js';
import { readImage, ROOT } from './image.js';

const DEPLOY = join(ROOT, 'deploy');
/** What child processes may take to end, after `shutdownMs`, rounded up. */
const CHILDREN_SECONDS = 4;
/** Options of a server that does not have to answer soon. */
const PATIENT = { connectTimeoutMs: 120_000, timeoutMs: 120_000 };
const image = readImage();

const COMMAND = z.array(z.string());
const COMPOSE = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      build: z.string().optional(),
      command: COMMAND.optional(),
      read_only: z.boolean().optional(),
      tmpfs: z.array(z.string()).optional(),
      ports: z.array(z.string()).optional(),
      volumes: z.array(z.string()).optional(),
      depends_on: z.array(z.string()).optional(),
      stop_grace_period: z
        .string()
        .regex(/^\d+s$/)
        .optional(),
    }),
  ),
});

const LABELS = z.record(z.string(), z.string());
const SELECTOR = z.object({ matchLabels: LABELS });
const PROBE = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }), periodSeconds: z.int() });
const NAMED = { metadata: z.object({ name: z.string() }) };
const CONTAINER = z.strictObject({
  name: z.string(),
  image: z.string(),
  args: COMMAND,
  env: z.array(
    z.object({
      name: z.string(),
      valueFrom: z.object({ secretKeyRef: z.object({ name: z.string(), key: z.string() }) }),
    }),
  ),
  ports: z.array(z.object({ name: z.string(), containerPort: z.int() })),
  startupProbe: PROBE,
  livenessProbe: PROBE,
  readinessProbe: PROBE,
  lifecycle: z.object({ preStop: z.object({ exec: z.object({ command: COMMAND }) }) }),
  resources: z.object({ requests: LABELS, limits: LABELS }),
  securityContext: z.object({ readOnlyRootFilesystem: z.literal(true), allowPrivilegeEscalation: z.literal(false) }),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() })),
});
const DEPLOYMENT = z.object({
  apiVersion: z.literal('apps/v1'),
  kind: z.literal('Deployment'),
  ...NAMED,
  spec: z.object({
    replicas: z.int().min(2),
    selector: SELECTOR,
    template: z.object({
      metadata: z.object({ labels: LABELS }),
      spec: z.object({
        terminationGracePeriodSeconds: z.int(),
        securityContext: z.object({ runAsNonRoot: z.literal(true), runAsUser: z.int(), runAsGroup: z.int() }),
        containers: z.tuple([CONTAINER]),
        volumes: z.array(
          z.object({
            name: z.string(),
            configMap: z.object({ name: z.string() }).optional(),
            secret: z
              .object({ secretName: z.string(), items: z.array(z.object({ key: z.string(), path: z.string() })) })
              .optional(),
            emptyDir: z.object({}).optional(),
          }),
        ),
      }),
    }),
  }),
});
const SERVICE = z.object({
  apiVersion: z.literal('v1'),
  kind: z.literal('Service'),
  spec: z.object({ selector: LABELS, ports: z.array(z.object({ targetPort: z.string() })) }),
});
const BUDGET = z.object({
  apiVersion: z.literal('policy/v1'),
  kind: z.literal('PodDisruptionBudget'),
  spec: z.object({ minAvailable: z.int(), selector: SELECTOR }),
});
const CONFIG_MAP = z.object({
  apiVersion: z.literal('v1'),
  kind: z.literal('ConfigMap'),
  ...NAMED,
  data: z.record(z.string(), z.string()),
});

const directory = mkdtempSync(join(tmpdir(), 'swarmlens-test-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The only document of a file. */
function yaml(path: string): unknown {
  const [document, ...more] = parseAllDocuments(readFileSync(join(DEPLOY, path), 'utf8'), { merge: true });
  expect(more).toEqual([]);
  if (document === undefined || 'empty' in document) throw new Error(`${path} is empty`);
  expect([...document.errors, ...document.warnings]).toEqual([]);
  return document.toJS() as unknown;
}

/** A configuration as the image would read it. */
async function load(text: string, command: readonly string[], env: Record<string, string>): Promise<Config> {
  const file = join(directory, 'config.json');
  writeFileSync(file, text);
  const flags = { 'insecure-no-auth': command.includes('--insecure-no-auth') };
  return await loadConfig({
    flags,
    env: { ...image.env, ...env, SWARMLENS_CONFIG: file },
    cwd: '/app',
    program: PROGRAM,
  });
}

/** Whether the program knows each word: it stumbles over what is added at the end, and over nothing before. */
async function expectCommandLine(command: readonly string[]): Promise<void> {
  const { code, stderr } = await runInProcess([...command, '--workers', 'added'], { cwd: directory });
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^swarmlens serve: --workers is "added"/)]);
}

test('all YAML of the deployment can be read', () => {
  const files = readdirSync(DEPLOY, { recursive: true, encoding: 'utf8' }).filter((file) => /\.ya?ml$/.test(file));
  expect(files.length).toBeGreaterThanOrEqual(9);
  for (const file of files) expect(yaml(file)).toBeInstanceOf(Object);
});

describe('the compose file', () => {
  const { services } = COMPOSE.parse(yaml('compose.yaml'));
  const nodes = Object.entries(services).filter(([, { build }]) => build !== undefined);

  test('names images by tag, and mounts only what there is', () => {
    for (const [name, { image: tagged, build, volumes = [], depends_on: needed = [] }] of Object.entries(services)) {
      if (build === undefined) expect(tagged).toMatch(/^([\w-]+\/)?[\w-]+:[\w.-]+$/);
      else expect(existsSync(join(resolve(DEPLOY, build), 'Dockerfile'))).toBe(true);
      for (const volume of volumes) {
        const [source = '', target = '', mode] = volume.split(':');
        expect(existsSync(resolve(DEPLOY, source)), source).toBe(true);
        expect(target).toMatch(/^\//);
        expect(mode).toBe('ro');
      }
      for (const other of needed) expect(Object.keys(services), name).toContain(other);
    }
  });

  test('lets everybody in, so all ports are published on loopback only', async () => {
    const published = Object.values(services).flatMap(({ ports = [] }) => ports);
    expect(published).toHaveLength(3);
    for (const port of published) expect(port).toMatch(/^127\.0\.0\.1:(\d+):\1$/);
  });

  test('runs two nodes with a command line and a configuration that they understand', async () => {
    expect(nodes.map(([name]) => name)).toEqual(['node-1', 'node-2']);
    for (const [, node] of nodes) {
      const { command = [], read_only: isReadOnly, tmpfs, volumes = [], stop_grace_period: grace = '' } = node;
      expect([isReadOnly, tmpfs]).toEqual([true, ['/tmp']]);
      const [source = '', target = ''] = volumes[0]?.split(':') ?? [];
      const mounted = join(DEPLOY, source, (image.env['SWARMLENS_CONFIG'] ?? '').replace(target, ''));
      const config = await load(readFileSync(mounted, 'utf8'), command, {});
      expect(config.bus).toMatchObject({ kind: 'single', hosts: [{ host: 'redis', port: 6379 }] });
      expect(services).toHaveProperty('redis');
      expect(config.port).toBe(image.port);
      expect(config.servers).toHaveLength(2);
      expect(parseInt(grace, 10)).toBeGreaterThanOrEqual(config.shutdownMs / 1_000 + CHILDREN_SECONDS);
      await expectCommandLine(command);
    }
  });

  test('its servers are simulators that the image can start', async () => {
    const config = await load(readFileSync(join(DEPLOY, 'compose/swarmlens/config.json'), 'utf8'), [], {
      HOST: '127.0.0.1',
    });
    const mcpServers = Object.fromEntries(
      config.servers.map(({ id, endpoint }) => {
        if (!('command' in endpoint)) throw new Error(`${id} is no command`);
        expect([endpoint.command, endpoint.args[0]]).toEqual(image.entrypoint);
        return [id, { command: process.execPath, args: [PROGRAM, ...endpoint.args.slice(1)], swarmlens: PATIENT }];
      }),
    );
    writeFileSync(join(directory, 'simulators.json'), JSON.stringify({ mcpServers }));
    const { code, stdout } = await runInProcess(['check', '--config', 'simulators.json'], { cwd: directory });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^claude-flow +ONLINE .*\n.*ruv-swarm +ONLINE /m)]);
  });

  test('balancer and Prometheus go to each node, at the port that it listens on', () => {
    const targets = nodes.map(([name]) => `${name}:${image.port}`);
    const prometheus = z.object({
      scrape_configs: z.tuple([z.object({ static_configs: z.tuple([z.object({ targets: z.array(z.string()) })]) })]),
      rule_files: z.array(z.string()),
    });
    const { scrape_configs: scraped, rule_files: rules } = prometheus.parse(yaml('compose/prometheus.yml'));
    expect(scraped[0].static_configs[0].targets).toEqual(targets);
    for (const file of rules) {
      expect(services['prometheus']?.volumes?.join()).toContain(`:/etc/prometheus/${file}:ro`);
    }
    const haproxy = readFileSync(join(DEPLOY, 'compose/haproxy.cfg'), 'utf8');
    expect([...haproxy.matchAll(/^ +server \S+ (\S+) check$/gm)].map(([, target]) => target)).toEqual(targets);
    expect(haproxy).toMatch(/^ +option httpchk GET \/readyz$/m);
    expect(services['balancer']?.ports).toEqual([`127.0.0.1:4000:${/bind :(\d+)/.exec(haproxy)?.[1]}`]);
  });

  test('Grafana finds Prometheus, and the dashboard where it looks for it', () => {
    const source = z.object({ datasources: z.tuple([z.object({ url: z.string() })]) });
    const { hostname } = new URL(source.parse(yaml('compose/grafana.yml')).datasources[0].url);
    expect(services).toHaveProperty([hostname]);
    const providers = z.object({ providers: z.tuple([z.object({ options: z.object({ path: z.string() }) })]) });
    const [provider] = providers.parse(yaml('grafana/provisioning/dashboards/swarmlens.yml')).providers;
    expect(services['grafana']?.volumes?.join()).toContain(`:${provider.options.path}/swarmlens.json:ro`);
  });
});

describe('the Kubernetes manifests', () => {
  const deployment = DEPLOYMENT.parse(yaml('kubernetes/deployment.yaml'));
  const pod = deployment.spec.template;
  const [container] = pod.spec.containers;
  const configMap = CONFIG_MAP.parse(yaml('kubernetes/config.yaml'));

  test('select the same pods everywhere, by ports that they have', () => {
    const service = SERVICE.parse(yaml('kubernetes/service.yaml'));
    const budget = BUDGET.parse(yaml('kubernetes/disruption.yaml'));
    expect(budget.spec.minAvailable).toBeLessThan(deployment.spec.replicas);
    for (const labels of [
      service.spec.selector,
      budget.spec.selector.matchLabels,
      deployment.spec.selector.matchLabels,
    ]) {
      expect(labels).toEqual(pod.metadata.labels);
    }
    const [port] = container.ports;
    expect(port?.containerPort).toBe(image.port);
    for (const { targetPort } of service.spec.ports) expect(targetPort).toBe(port?.name);
    expect(`${pod.spec.securityContext.runAsUser}:${pod.spec.securityContext.runAsGroup}`).toBe(image.user);
  });

  test('probe paths that the program answers', async () => {
    await using app = await startApp([]);
    for (const { httpGet } of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
      expect(httpGet.port).toBe(container.ports[0]?.name);
      expect((await fetch(`${app.url}${httpGet.path}`)).status).toBe(200);
    }
    // One that waits for Redis, or drains, is not to be killed for that.
    expect([container.livenessProbe.httpGet.path, container.startupProbe.httpGet.path]).not.toContain('/readyz');
    expect(container.readinessProbe.httpGet.path).toBe('/readyz');
  });

  test('give the program a command line and a configuration that it understands, and the time that its end takes', async () => {
    await using tokens = await TokenDirectory.make();
    await tokens.create();
    const text = configMap.data['config.json'] ?? '';
    const secret = pod.spec.volumes.find((volume) => volume.secret !== undefined);
    const mount = container.volumeMounts.find(({ name }) => name === secret?.name)?.mountPath;
    const file = `${mount}/${secret?.secret?.items[0]?.path}`;
    expect(text).toContain(`"${file}"`);
    const asked = container.env.map(({ name }) => name);
    expect([...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name)).toEqual(asked);
    const env = Object.fromEntries(asked.map((name) => [name, 'rediss://:secret@redis.example:6380/1']));
    const config = await load(text.replace(file, tokens.file), container.args, env);
    expect(config.bus).toMatchObject({ tls: true });
    expect(config.auth).toMatchObject({ tokens: tokens.file });
    await expectCommandLine(container.args);
    const waitMs = Number(/(\d+)\)$/.exec(container.lifecycle.preStop.exec.command.at(-1) ?? '')?.[1]);
    const neededSeconds = (waitMs + config.shutdownMs) / 1_000 + CHILDREN_SECONDS;
    expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(neededSeconds);
  });

  test('mount what there is: the configuration where the image reads it, and a place to write', () => {
    const kinds = new Map(pod.spec.volumes.map((volume) => [volume.name, volume]));
    const at = (path: string) =>
      kinds.get(container.volumeMounts.find(({ mountPath }) => mountPath === path)?.name ?? '');
    expect(kinds.size).toBe(container.volumeMounts.length);
    expect(at('/etc/swarmlens')?.configMap?.name).toBe(configMap.metadata.name);
    const name = (image.env['SWARMLENS_CONFIG'] ?? '').replace('/etc/swarmlens/', '');
    expect(Object.keys(configMap.data)).toEqual([name]);
    expect(at(image.env['HOME'] ?? '')).toHaveProperty('emptyDir');
    // One Secret, which docs/deployment.md makes with these keys.
    const used = [
      ...container.env.map(({ valueFrom }) => valueFrom.secretKeyRef),
      ...pod.spec.volumes.flatMap(
        ({ secret }) => secret?.items.map(({ key }) => ({ name: secret.secretName, key })) ?? [],
      ),
    ];
    const docs = readFileSync(join(ROOT, 'docs/deployment.md'), 'utf8');
    for (const secret of used) {
      expect(secret.name).toBe('swarmlens');
      expect(docs).toMatch(new RegExp(`create secret generic ${secret.name}(.|\n)*--from-\\w+=${secret.key}[=\\s]`));
    }
  });
});
