import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { App } from '../../src/app/create-app.js';
import { loadConfig } from '../../src/config/index.js';
import { request, startApp } from '../support/app.js';
import { waitUntil } from '../support/wait.js';

const SERVERS = fileURLToPath(new URL('servers/mapped/node_modules', import.meta.url));
const DOCUMENT = fileURLToPath(new URL('../../docs/servers.md', import.meta.url));

const entrySchema = z.looseObject({
  args: z.array(z.string()),
  env: z.record(z.string(), z.string()).optional(),
  swarmlens: z.looseObject({ mapping: z.unknown() }),
});

/** Returns the entry of a server in an example of the documentation. */
async function documentedEntry(id: string): Promise<z.output<typeof entrySchema>> {
  const text = await readFile(DOCUMENT, 'utf8');
  const examples = text.slice(text.indexOf('### Examples'));
  for (const [, json = ''] of examples.matchAll(/```json\n([^]*?)```/g)) {
    const { mcpServers } = z.object({ mcpServers: z.record(z.string(), entrySchema) }).parse(JSON.parse(json));
    if (mcpServers[id] !== undefined) return mcpServers[id];
  }
  throw new Error(`no example of ${id}`);
}

/** Server of an example, started with the documented mapping in a directory of its own. */
class MappedServer implements AsyncDisposable {
  readonly #app: App;
  readonly #id: string;
  readonly #directory: string;

  private constructor(app: App, id: string, directory: string) {
    this.#app = app;
    this.#id = id;
    this.#directory = directory;
  }

  /** @param tools names of the tools that the test calls */
  static async start(id: string, tools: readonly string[]): Promise<MappedServer> {
    const { args, ...entry } = await documentedEntry(id);
    // The example starts the package with npx, which would ask the registry. The version is the installed one.
    const [, spec = '', ...rest] = args;
    const name = spec.slice(0, spec.lastIndexOf('@'));
    const manifest = z
      .object({ version: z.string(), bin: z.record(z.string(), z.string()) })
      .parse(JSON.parse(await readFile(join(SERVERS, name, 'package.json'), 'utf8')));
    expect(spec).toBe(`${name}@${manifest.version}`);
    const [bin = ''] = Object.values(manifest.bin);
    const directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
    const server = {
      ...entry,
      command: process.execPath,
      args: [join(SERVERS, name, bin), ...rest],
      env: { ...entry.env, HOME: directory },
      swarmlens: { ...entry.swarmlens, allowTools: tools, timeoutMs: 20_000 },
    };
    await writeFile(join(directory, 'swarmlens.config.json'), JSON.stringify({ mcpServers: { [id]: server } }));
    const config = await loadConfig({ flags: {}, env: { HOME: directory }, cwd: directory, program: '/main.js' });
    return new MappedServer(await startApp(config.servers), id, directory);
  }

  async call(tool: string, args: object): Promise<unknown> {
    const { data, errors } = await request(
      this.#app,
      'mutation Call($id: ID!, $tool: String!, $arguments: JSON) { callTool(serverId: $id, tool: $tool, arguments: $arguments) { isError content } }',
      { id: this.#id, tool, arguments: args },
    );
    expect(errors).toBeUndefined();
    const result = z
      .object({ callTool: z.object({ isError: z.boolean(), content: z.unknown() }) })
      .parse(data).callTool;
    expect(result).toMatchObject({ isError: false });
    return result.content;
  }

  /** Waits until the result of a query contains the values. */
  async shows(query: string, expected: object): Promise<void> {
    let seen: unknown;
    await waitUntil(
      async () => {
        seen = (await request(this.#app, query)).data;
        try {
          expect(seen).toMatchObject(expected);
          return true;
        } catch {
          return false;
        }
      },
      { state: () => seen, intervalMs: 100 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#app[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

const NO_CONTENT = {
  servers: [{ type: 'CUSTOM', status: 'ONLINE', lastError: null }],
  agents: [],
  tasks: [],
};
const EMPTY = '{ servers { type status lastError } agents { id } tasks { id } }';
const TASKS = '{ servers { status lastError } tasks { title status dependsOnIds createdAt startedAt endedAt } }';
const ONLINE = { servers: [{ status: 'ONLINE', lastError: null }] };

describe('documented mapping', { timeout: 120_000 }, () => {
  test('of server-memory reads agents, status, model and relations of the knowledge graph', async () => {
    await using server = await MappedServer.start('memory', [
      'create_entities',
      'create_relations',
      'add_observations',
    ]);
    await server.shows(EMPTY, NO_CONTENT);
    const agent = (name: string, ...observations: string[]): object => ({ name, entityType: 'agent', observations });
    await server.call('create_entities', {
      entities: [
        agent('Ada', 'likes Lisp', 'status: busy', 'model: opus'),
        agent('Grace', 'status: idle'),
        { name: 'COBOL', entityType: 'language', observations: [] },
      ],
    });
    await server.call('create_relations', {
      relations: [
        { from: 'Ada', to: 'Grace', relationType: 'reviews' },
        { from: 'Grace', to: 'COBOL', relationType: 'invented' },
      ],
    });
    const query =
      '{ servers { status lastError } agents { name type status model swarmId } swarms { name } topology(swarmId: "memory:graph") { edges { from to relation inferred } } }';
    await server.shows(query, {
      ...ONLINE,
      agents: [
        { name: 'Ada', type: 'agent', status: 'BUSY', model: 'opus', swarmId: 'memory:graph' },
        { name: 'Grace', type: 'agent', status: 'IDLE', model: null, swarmId: 'memory:graph' },
      ],
      swarms: [{ name: 'Knowledge graph' }],
      topology: { edges: [{ from: 'memory:Ada', to: 'memory:Grace', relation: 'reviews', inferred: false }] },
    });
  });

  test('of agent-orchestrator-mcp reads agents, groups, dependencies and tasks', async () => {
    await using server = await MappedServer.start('orchestrator', ['register_agent', 'create_group', 'start_task']);
    await server.shows(EMPTY, NO_CONTENT);
    await server.call('register_agent', { id: 'db', name: 'Database', owns: ['src/db/**'] });
    await server.call('register_agent', { id: 'api', name: 'API', owns: ['src/api/**'], dependsOn: ['db'] });
    const group = z
      .object({ group: z.object({ id: z.string() }) })
      .parse(
        await server.call('create_group', { id: 'g', name: 'Backend', description: 'd', members: ['api', 'db'] }),
      ).group;
    await server.call('start_task', {
      title: 'Ship',
      description: 'd',
      requester: 'api',
      assignedAgents: ['api', 'db'],
    });
    const query = `{ servers { status lastError } agents { nativeId name capabilities createdAt } swarms { name agentCount } topology(swarmId: "orchestrator:${group.id}") { edges { from to relation } } tasks { title status agentIds createdAt } }`;
    await server.shows(query, {
      ...ONLINE,
      agents: [
        { nativeId: 'db', name: 'Database', capabilities: ['src/db/**'], createdAt: expect.any(String) },
        { nativeId: 'api', name: 'API', capabilities: ['src/api/**'] },
      ],
      swarms: [{ name: 'Backend', agentCount: 2 }],
      topology: { edges: [{ from: 'orchestrator:api', to: 'orchestrator:db', relation: 'depends on' }] },
      tasks: [{ title: 'Ship', status: 'PENDING', agentIds: ['orchestrator:api', 'orchestrator:db'] }],
    });
  });

  test('of mcp-shrimp-task-manager reads tasks and their dependencies from Markdown', async () => {
    await using server = await MappedServer.start('shrimp', ['split_tasks', 'execute_task']);
    await server.shows(EMPTY, NO_CONTENT);
    const task = (name: string, ...dependencies: string[]): object => ({
      name,
      dependencies,
      description: 'A description that is long enough',
      implementationGuide: 'A guide',
    });
    const answer = await server.call('split_tasks', {
      updateMode: 'clearAllTasks',
      tasksRaw: JSON.stringify([task('Design'), task('Build', 'Design'), task('Test', 'Design', 'Build')]),
      globalAnalysisResult: 'none',
    });
    const [design = '', build = ''] = [...JSON.stringify(answer).matchAll(/\*\*ID:\*\* `([^`]+)`/g)].map(
      ([, id]) => id,
    );
    await server.shows(TASKS, {
      ...ONLINE,
      tasks: [
        { title: 'Design', status: 'PENDING', dependsOnIds: [], createdAt: expect.any(String) },
        { title: 'Build', status: 'PENDING', dependsOnIds: [`shrimp:${design}`] },
        { title: 'Test', status: 'PENDING', dependsOnIds: [`shrimp:${design}`, `shrimp:${build}`] },
      ],
    });
    await server.call('execute_task', { taskId: design });
    await server.shows('{ tasks(statuses: [IN_PROGRESS]) { title } }', { tasks: [{ title: 'Design' }] });
  });

  test('of dex reads tasks, their dependencies and their times', async () => {
    await using server = await MappedServer.start('dex', ['create_task', 'update_task']);
    await server.shows(EMPTY, NO_CONTENT);
    const create = async (fields: object): Promise<string> =>
      z.looseObject({ id: z.string() }).parse(await server.call('create_task', { description: 'd', ...fields })).id;
    const design = await create({ name: 'Design' });
    const build = await create({ name: 'Build', blocked_by: [design] });
    await create({ name: 'Test', blocked_by: [build] });
    await server.call('update_task', { id: design, completed: true, result: 'done' });
    await server.call('update_task', { id: build, started_at: new Date().toISOString() });
    await server.shows(TASKS, {
      ...ONLINE,
      tasks: expect.arrayContaining([
        expect.objectContaining({ title: 'Design', status: 'COMPLETED', endedAt: expect.any(String) }),
        expect.objectContaining({ title: 'Build', status: 'IN_PROGRESS', startedAt: expect.any(String) }),
        expect.objectContaining({ title: 'Test', status: 'PENDING', dependsOnIds: [`dex:${build}`] }),
      ]),
    });
  });

  test('of mcp-taskmanager reads requests with their numbers of tasks and their status', async () => {
    await using server = await MappedServer.start('planner', ['request_planning', 'mark_task_done']);
    await server.shows(EMPTY, NO_CONTENT);
    const tasks = ['Design', 'Build'].map((title) => ({ title, description: 'd' }));
    await server.call('request_planning', { originalRequest: 'Release', tasks });
    await server.call('mark_task_done', { requestId: 'req-1', taskId: 'task-1' });
    const query = '{ servers { status lastError } swarms { name tasksTotal tasksCompleted } tasks { title status } }';
    await server.shows(query, {
      ...ONLINE,
      swarms: [{ name: 'Release', tasksTotal: 2, tasksCompleted: 1 }],
      tasks: [{ title: 'Release', status: 'IN_PROGRESS' }],
    });
    await server.call('mark_task_done', { requestId: 'req-1', taskId: 'task-2' });
    await server.shows(query, { ...ONLINE, tasks: [{ title: 'Release', status: 'COMPLETED' }] });
  });
});
