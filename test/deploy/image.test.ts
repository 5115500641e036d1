import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runInProcess } from '../cli/run-command.js';
import { runHealthCheck, readDockerfile, readImage, ROOT } from './image.js';

const image = readImage();

function isPattern(line: string): boolean {
  return line !== '' && !line.startsWith('#');
}

/** Returns whether a path is in the build context. The last pattern that matches the path or one of its folders decides. */
function isInContext(path: string, patterns: readonly string[]): boolean {
  const parts = path.split('/');
  const prefixes = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  const last = patterns.findLast((pattern) => {
    const expression = pattern
      .replace(/^!/, '')
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '[^/]*');
    return prefixes.some((prefix) => new RegExp(`^${expression}$`).test(prefix));
  });
  return last === undefined || last.startsWith('!');
}

describe('Dockerfile', () => {
  test('copies only existing files of the build context and existing stages', () => {
    const patterns = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n').filter(isPattern);
    expect(patterns[0]).toBe('*');
    const stages = readDockerfile();
    const copies = stages.flatMap((stage) => stage.copies);
    expect(copies.length).toBeGreaterThan(5);
    for (const { from, sources } of copies) {
      if (from !== null) expect(stages.map(({ name }) => name)).toContain(from);
      else {
        for (const source of sources) {
          expect(isInContext(source, patterns), source).toBe(true);
          expect(existsSync(join(ROOT, source)), source).toBe(true);
        }
      }
    }
    // A file that the context lacks would otherwise be noticed only by a build.
    const built = copies.filter(({ from }) => from === null).flatMap(({ sources }) => sources);
    expect(built).toEqual(expect.arrayContaining(['src', 'playground', 'scripts', 'tsconfig.build.json']));
  });

  test('runs as a numeric non-root user and without a shell', () => {
    expect(image.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    for (const stage of readDockerfile()) {
      for (const word of ['RUN', 'CMD', 'ENTRYPOINT']) {
        for (const rest of stage.instructions.get(word) ?? []) expect(() => JSON.parse(rest) as unknown).not.toThrow();
      }
      expect(stage.base).toMatch(/^node:24-/);
    }
  });

  test('installs no dependencies that depend on the C library or run install scripts', () => {
    const lock = readFileSync(join(ROOT, 'package-lock.json'), 'utf8');
    const { packages } = JSON.parse(lock) as {
      packages: Record<string, { dev?: boolean; optional?: boolean; libc?: string[]; hasInstallScript?: boolean }>;
    }; // format of npm
    const run = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true);
    expect(run.length).toBeGreaterThan(50);
    expect(run.filter(([, one]) => one.libc !== undefined || one.hasInstallScript === true)).toEqual([]);
  });

  test('fails its health check when the server responds with an error', async () => {
    const server = createServer((_request, response) => response.writeHead(503).end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // a TCP server's address is never a string
    expect(await runHealthCheck(image, port)).toBe(1);
    server.closeAllConnections();
    server.close();
  });

  test('ends with the path of the missing configuration file', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'swarmlens-test-'));
    const { code, stderr } = await runInProcess(image.command, { cwd: directory, env: { ...image.env } });
    rmSync(directory, { recursive: true });
    expect(code).toBe(2);
    expect(stderr).toContain('/etc/swarmlens/config.json: cannot be read – the file does not exist');
  });
});
