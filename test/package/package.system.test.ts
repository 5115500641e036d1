import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Program } from '../support/program.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));

let folder: string;

// Packs what is built and installs it the way somebody else would, into an empty folder.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: ROOT });
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string }>); // as npm documents
  if (packed === undefined) throw new Error(`nothing was packed: ${stdout}`);
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  await run('npm', ['install', ...flags, join(folder, packed.filename)], { cwd: folder });
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('the package, installed into an empty folder', () => {
  test('holds the built program and nothing else', async () => {
    const files = await readdir(join(folder, 'node_modules/swarmlens'));
    expect(files.sort()).toEqual([
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'dist',
      'package.json',
      'schema.graphql',
      'trusted-documents.json',
    ]);
    const built = await readdir(join(folder, 'node_modules/swarmlens/dist'), { recursive: true });
    expect(built.filter((file) => /\.test\.|(^|\/)(test|fixtures)\//.test(file))).toEqual([]);
    expect(built).toEqual(
      expect.arrayContaining(['main.js', 'index.d.ts', 'client/index.js', 'playground/index.html']),
    );
  });

  test('swarmlens --version', async () => {
    const { stdout } = await run(join(folder, 'node_modules/.bin/swarmlens'), ['--version']);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('swarmlens serve runs its simulators, GraphiQL and the playground', async () => {
    const bin = join(folder, 'node_modules/.bin/swarmlens');
    await using program = new Program(['serve', '--port', '0'], { cwd: folder, program: bin });
    const [, url = ''] = await program.printed(/ready at (\S+)\/graphql/);
    const answer = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: 'mutation { refreshDiscovery { servers { id simulated } } }' }),
    });
    expect(await answer.json()).toMatchObject({
      data: { refreshDiscovery: { servers: [{ simulated: expect.any(Boolean) }, {}, {}] } },
    });
    const graphiql = await fetch(`${url}/graphql`, { headers: { accept: 'text/html' } });
    expect(await graphiql.text()).toContain('GraphiQL');
    expect((await fetch(url)).headers.get('content-type')).toContain('text/html');
    program.kill('SIGTERM');
    expect((await program.outcome()).code).toBe(0);
  });

  test('is imported with types, the program and the client', async () => {
    await writeFile(
      join(folder, 'use.ts'),
      `import { createApp, loadConfig, type App, type Config } from 'swarmlens';
       import { AgentUpdatesDocument, applyAgentUpdate, createSwarmClient, type SwarmClient } from 'swarmlens/client';
       export const made: [typeof createApp, typeof loadConfig, typeof AgentUpdatesDocument, typeof applyAgentUpdate] = [createApp, loadConfig, AgentUpdatesDocument, applyAgentUpdate];
       export function watch(client: SwarmClient): number { return client.agents().getSnapshot().agents.size; }
       export const client: SwarmClient = createSwarmClient({ url: 'http://127.0.0.1:4000' });
       export function port(config: Config): number { return config.port; }
       export function url(app: App): string { return app.url; }
       // @ts-expect-error a port is no string
       export const wrong: string = port({} as Config);`,
    );
    const flags = [
      '--noEmit',
      '--strict',
      '--skipDefaultLibCheck',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--lib',
      'es2023,esnext.disposable,dom',
    ];
    await run(process.execPath, [TSC, ...flags, 'use.ts'], { cwd: folder });
    const { stdout } = await run(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `
      const { createApp } = await import('swarmlens');
      const { AgentUpdatesDocument, createSwarmClient } = await import('swarmlens/client');
      console.log(typeof createApp, typeof createSwarmClient, String(AgentUpdatesDocument).includes('subscription'));`,
      ],
      { cwd: folder },
    );
    expect(stdout).toBe('function function true\n');
  });
});
