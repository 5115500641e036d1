import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build, type Rolldown } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Program } from '../support/program.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MODULES = join(ROOT, 'node_modules');
const NOT_CLONED = new Set(['.git', '.cache', 'artifacts', 'coverage', 'dist', 'node_modules', 'test']);

let folder: string;
/** Paths of the packed files. */
let clientFile: string;
let serverFile: string;

/** Copies the sources without build output, and links the installed dependencies. */
async function clone(): Promise<string> {
  const target = join(folder, 'clone');
  await cp(ROOT, target, { recursive: true, filter: (path) => !NOT_CLONED.has(basename(path)) || path === ROOT });
  await mkdir(join(target, 'node_modules/@swarmlens'), { recursive: true });
  const modules = (await readdir(MODULES)).filter((name) => name !== '@swarmlens');
  await Promise.all(modules.map((name) => symlink(join(MODULES, name), join(target, 'node_modules', name))));
  await symlink(join(target, 'packages/client'), join(target, 'node_modules/@swarmlens/client'));
  return target;
}

/** Packs a package as `npm publish` does. Returns the path of the file. */
async function pack(cwd: string, ...flags: readonly string[]): Promise<string> {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder, ...flags], { cwd });
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string }>); // as npm documents
  if (packed === undefined) throw new Error(`npm packed nothing: ${stdout}`);
  return join(folder, packed.filename);
}

/** Installs packages into an empty project, on the Node.js version that runs the test. */
async function install(name: string, manifest: object, ...files: readonly string[]): Promise<string> {
  const project = join(folder, name);
  await mkdir(project);
  await writeFile(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module', ...manifest }));
  const flags = ['--engine-strict', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  await run('npm', ['install', ...flags, ...files], { cwd: project });
  return project;
}

/** Returns the names of the packages that npm has installed. */
async function listInstalled(project: string): Promise<readonly string[]> {
  const lock = JSON.parse(await readFile(join(project, 'package-lock.json'), 'utf8')) as { packages: object }; // by npm
  return Object.keys(lock.packages).flatMap((path) => (path === '' ? [] : [path.replace(/^.*node_modules\//, '')]));
}

async function sumFileSizes(directory: string): Promise<number> {
  const files = await readdir(directory, { recursive: true });
  const sizes = await Promise.all(files.map(async (file) => await stat(join(directory, file))));
  return sizes.reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0);
}

/** Runs a module in a project. Returns its standard output. */
async function evaluate(project: string, code: string): Promise<string> {
  return (await run(process.execPath, ['--input-type=module', '--eval', code], { cwd: project })).stdout;
}

/** Type-checks a file including the declarations of its dependencies. Returns the compiler's messages. */
async function check(project: string, code: string, flags: readonly string[]): Promise<string> {
  await writeFile(join(project, 'use.ts'), code);
  const strict = [
    '--noEmit',
    '--strict',
    '--exactOptionalPropertyTypes',
    '--skipLibCheck',
    'false',
    '--skipDefaultLibCheck',
    '--target',
    'es2022',
  ];
  const args = [join(MODULES, 'typescript/bin/tsc'), ...strict, ...flags, 'use.ts'];
  return await run(process.execPath, args, { cwd: project }).then(
    ({ stdout }) => stdout,
    (error: unknown) => (error as { stdout: string }).stdout, // as execFile documents
  );
}

const NODE_TYPES = ['--types', 'node'];
const MODULE_KINDS = [
  ['nodenext', ['--module', 'nodenext']],
  ['bundler', ['--module', 'preserve', '--moduleResolution', 'bundler']],
] as const;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
  const source = await clone();
  clientFile = await pack(source, '--workspace', '@swarmlens/client');
  serverFile = await pack(source);
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('@swarmlens/client, packed from a clone and installed alone', () => {
  let project: string;

  beforeAll(async () => {
    project = await install('client', {}, clientFile);
  });

  test('installs at most 3 packages and 6 MB', async () => {
    expect([...(await listInstalled(project))].sort()).toEqual(['@swarmlens/client', 'graphql', 'graphql-ws']);
    expect(await sumFileSizes(join(project, 'node_modules'))).toBeLessThanOrEqual(6_000_000);
  });

  test('contains the built client only', async () => {
    const files = await readdir(join(project, 'node_modules/@swarmlens/client'));
    expect(files.sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
  });

  test.each(MODULE_KINDS)(
    'passes the type check of a browser project with module resolution %s',
    async (_name, flags) => {
      const code = `
      import { createSwarmClient, ServersDocument, type SwarmClient } from '@swarmlens/client';
      const client: SwarmClient = createSwarmClient({ url: '/graphql' });
      export const size: number = client.agents().getServerSnapshot().agents.size;
      export const ids = async (): Promise<string[]> =>
        (await client.query(ServersDocument)).servers.map(({ id }) => id);
      // @ts-expect-error a size is not a string
      export const wrong: string = size;`;
      expect(await check(project, code, [...flags, '--lib', 'es2022,dom'])).toBe('');
    },
  );

  test('creates a client without a WebSocket class', async () => {
    const code = `
      delete globalThis.WebSocket;
      const { createSwarmClient } = await import('@swarmlens/client');
      console.log(createSwarmClient({ url: '/graphql' }).agents().getServerSnapshot().status);`;
    expect(await evaluate(project, code)).toBe('IDLE\n');
  });

  test('is bundled by Vite into a React page that also renders on a server', async () => {
    const page = `
      import { createElement, useSyncExternalStore } from 'react';
      import { renderToString } from 'react-dom/server';
      import { createSwarmClient } from '@swarmlens/client';
      const stream = createSwarmClient({ url: '/graphql' }).agents();
      function Page() {
        const { agents } = useSyncExternalStore(stream.subscribe, stream.getSnapshot, stream.getServerSnapshot);
        return createElement('p', null, agents.size + ' agents');
      }
      console.log(renderToString(createElement(Page)));`;
    await writeFile(join(project, 'page.js'), page);
    const built = await build({
      configFile: false,
      logLevel: 'silent',
      root: project,
      resolve: { alias: { react: join(MODULES, 'react'), 'react-dom': join(MODULES, 'react-dom') } },
      build: { write: false, ssr: true, rolldownOptions: { input: join(project, 'page.js') } },
      ssr: { noExternal: true },
    });
    const { output } = built as Rolldown.RolldownOutput; // one, because it does not watch
    await writeFile(join(project, 'page.mjs'), output[0].code);
    const { stdout } = await run(process.execPath, ['page.mjs'], { cwd: project });
    expect(stdout).toBe('<p>0 agents</p>\n');
  });
});

describe('swarmlens, packed from a clone and installed alone', () => {
  let project: string;

  beforeAll(async () => {
    // Stands for the registry, which provides the client in the same version.
    project = await install('server', { overrides: { '@swarmlens/client': `file:${clientFile}` } }, serverFile);
  });

  test('contains the built program only', async () => {
    const files = await readdir(join(project, 'node_modules/swarmlens'));
    expect(files.sort()).toEqual([
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'dist',
      'integrations',
      'package.json',
      'schema.graphql',
      'swarmlens.schema.json',
      'trusted-documents.json',
    ]);
    const built = await readdir(join(project, 'node_modules/swarmlens/dist'), { recursive: true });
    expect(built.filter((file) => /\.test\.|(^|\/)(test|fixtures)\//.test(file))).toEqual([]);
    expect(built).toEqual(expect.arrayContaining(['main.js', 'index.d.ts', 'client.js', 'playground/index.html']));
  });

  test('prints its version', async () => {
    const { stdout } = await run(join(project, 'node_modules/.bin/swarmlens'), ['--version']);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('serves the simulators, GraphiQL and the playground', async () => {
    const bin = join(project, 'node_modules/.bin/swarmlens');
    await using program = new Program(['serve', '--port', '0'], { cwd: project, program: bin });
    const [, url = ''] = await program.printed(/ready at (\S+)\/graphql/);
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: 'mutation { refreshDiscovery { servers { id simulated } } }' }),
    });
    expect(await response.json()).toMatchObject({
      data: { refreshDiscovery: { servers: [{ simulated: expect.any(Boolean) }, {}, {}] } },
    });
    const graphiql = await fetch(`${url}/graphql`, { headers: { accept: 'text/html' } });
    expect(await graphiql.text()).toContain('GraphiQL');
    expect((await fetch(url)).headers.get('content-type')).toContain('text/html');
    program.kill('SIGTERM');
    expect((await program.outcome()).code).toBe(0);
  });

  test.each(MODULE_KINDS)('passes the type check with module resolution %s', async (_name, flags) => {
    const code = `
      import { createApp, loadConfig, type App, type Config } from 'swarmlens';
      import { AgentUpdatesDocument, applyAgentUpdate, createSwarmClient, type SwarmClient } from 'swarmlens/client';
      export const values: [typeof createApp, typeof loadConfig, typeof AgentUpdatesDocument, typeof applyAgentUpdate] =
        [createApp, loadConfig, AgentUpdatesDocument, applyAgentUpdate];
      export const client: SwarmClient = createSwarmClient({ url: 'http://127.0.0.1:4000' });
      export const port = (config: Config): number => config.port;
      export const url = (app: App): string => app.url;
      // @ts-expect-error a port is not a string
      export const wrong: string = port({} as Config);`;
    expect(await check(project, code, [...flags, '--lib', 'es2023', ...NODE_TYPES])).toBe('');
  });
});

describe('swarmlens and @swarmlens/client, installed together', () => {
  test('share one copy of the client', async () => {
    const project = await install('both', {}, clientFile, serverFile);
    const installed = await listInstalled(project);
    expect(installed.filter((name) => name === '@swarmlens/client' || name === 'swarmlens')).toHaveLength(2);
    const code = `
      const { createApp } = await import('swarmlens');
      const server = await import('swarmlens/client');
      const client = await import('@swarmlens/client');
      console.log(typeof createApp, server.SwarmClientError === client.SwarmClientError);
      console.log(Object.keys(server).length > 20, Object.keys(server).join() === Object.keys(client).join());`;
    expect(await evaluate(project, code)).toBe('function true\ntrue true\n');
  });
});
