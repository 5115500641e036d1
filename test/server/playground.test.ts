import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createPlaygroundHandler } from '../../src/server/http/playground-handler.js';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Starts a server that serves only a playground built from the given files. */
async function serve(
  files: Readonly<Record<string, string>>,
): Promise<AsyncDisposable & { get(path: string, method?: string): Promise<Answer> }> {
  const directory = mkdtempSync(join(tmpdir(), 'playground-'));
  mkdirSync(join(directory, 'built', 'assets'), { recursive: true });
  writeFileSync(join(directory, 'secret.txt'), 'secret');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, 'built', name), text);
  const handle = createPlaygroundHandler(join(directory, 'built'));
  const server = createServer((request, response) => {
    if (!handle(request, response)) response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // a TCP server's address is never a string
  return {
    // fetch would normalize the path.
    get: (path, method = 'GET') =>
      new Promise((resolve, reject) => {
        send({ port, host: '127.0.0.1', path, method }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            const body = Buffer.concat(chunks).toString('utf8');
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
          });
        })
          .on('error', reject)
          .end();
      }),
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true });
    },
  };
}

const BUILT = { 'index.html': '<!doctype html>', 'assets/index-a1.js': 'run()', 'assets/style-b2.css': 'a{}' };

describe('createPlaygroundHandler', () => {
  test.each([
    ['/', '<!doctype html>', 'text/html; charset=utf-8'],
    ['/?mode=x', '<!doctype html>', 'text/html; charset=utf-8'],
    ['/assets/index-a1.js', 'run()', 'text/javascript; charset=utf-8'],
    ['/assets/style-b2.css', 'a{}', 'text/css; charset=utf-8'],
  ])('serves %s with its content type', async (path, body, type) => {
    await using server = await serve(BUILT);
    const answer = await server.get(path);
    expect(answer).toMatchObject({ status: 200, body, headers: { 'content-type': type } });
    expect(answer.headers).toMatchObject({ 'content-length': `${body.length}` });
    expect(answer.headers['content-security-policy']).toMatch(/^default-src 'none'; /);
  });

  test('lets browsers cache assets forever and revalidate the page', async () => {
    await using server = await serve(BUILT);
    const cacheOf = async (path: string): Promise<unknown> => (await server.get(path)).headers['cache-control'];
    expect(await cacheOf('/assets/index-a1.js')).toBe('public, max-age=31536000, immutable');
    expect(await cacheOf('/')).toBe('no-cache');
  });

  test.each([
    '/assets/../../secret.txt',
    '/assets/%2e%2e/%2e%2e/secret.txt',
    '/../secret.txt',
    '//secret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/assets/',
    '/assets',
    '/index.html',
    '/constructor',
  ])('does not serve %s', async (path) => {
    await using server = await serve(BUILT);
    expect(await server.get(path)).toMatchObject({ status: 404, body: '' });
  });

  test('answers HEAD without a body and rejects other methods', async () => {
    await using server = await serve(BUILT);
    expect(await server.get('/', 'HEAD')).toMatchObject({ status: 200, body: '', headers: { 'content-length': '15' } });
    expect(await server.get('/', 'POST')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });

  test('explains how to build the playground when it is not built', async () => {
    await using server = await serve({});
    const answer = await server.get('/');
    expect(answer).toMatchObject({ status: 503, headers: { 'content-type': 'text/plain; charset=utf-8' } });
    expect(answer.body).toContain('npm run build');
  });
});
