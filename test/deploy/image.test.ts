import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runInProcess } from '../cli/run-command.js';
import { healthOf, readDockerfile, readImage, ROOT } from './image.js';

const image = readImage();

describe('the Dockerfile', () => {
  test('copies only what there is and the context has, and from stages there are', () => {
    const allowed = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
    expect(allowed).toContain('*');
    const stages = readDockerfile();
    const copies = stages.flatMap((stage) => stage.copies);
    expect(copies.length).toBeGreaterThan(5);
    for (const { from, sources } of copies) {
      if (from !== null) expect(stages.map(({ name }) => name)).toContain(from);
      else {
        for (const source of sources) {
          expect(allowed).toContain(`!${source}`);
          expect(existsSync(join(ROOT, source)), source).toBe(true);
        }
      }
    }
    // All that a build reads: what is left out of the context would be missed there only.
    const built = copies.filter(({ from }) => from === null).flatMap(({ sources }) => sources);
    expect(built).toEqual(expect.arrayContaining(['src', 'playground', 'scripts', 'tsconfig.build.json']));
  });

  test('runs as somebody who is not root, named by number, without a shell', () => {
    expect(image.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    for (const stage of readDockerfile()) {
      for (const word of ['RUN', 'CMD', 'ENTRYPOINT']) {
        for (const rest of stage.said.get(word) ?? []) expect(() => JSON.parse(rest) as unknown).not.toThrow();
      }
      expect(stage.base).toMatch(/^node:24-/);
    }
  });

  test('its dependencies hold nothing that is made for another C library', () => {
    const lock = readFileSync(join(ROOT, 'package-lock.json'), 'utf8');
    const { packages } = JSON.parse(lock) as {
      packages: Record<string, { dev?: boolean; optional?: boolean; libc?: string[]; hasInstallScript?: boolean }>;
    }; // npm's own format
    const run = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true);
    expect(run.length).toBeGreaterThan(50);
    expect(run.filter(([, one]) => one.libc !== undefined || one.hasInstallScript === true)).toEqual([]);
  });

  test('a server that answers with an error is not healthy', async () => {
    const server = createServer((_request, response) => response.writeHead(503).end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // a TCP server's address is never a string
    expect(await healthOf(image, port)).toBe(1);
    server.closeAllConnections();
    server.close();
  });

  test('without a configuration it ends and says where one is missing', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'swarmlens-test-'));
    const { code, stderr } = await runInProcess(image.command, { cwd: directory, env: { ...image.env } });
    rmSync(directory, { recursive: true });
    expect(code).toBe(2);
    expect(stderr).toContain('/etc/swarmlens/config.json: cannot be read – there is no such file');
  });
});
