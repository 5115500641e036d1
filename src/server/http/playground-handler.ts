import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';

interface File {
  readonly status: number;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Content security policy of the playground: no foreign, inline or string-built content. `connect-src 'self'` includes the
 * page's own WebSocket.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  // The page uses this policy once, to turn the address of its worker into a script address.
  'trusted-types swarmlens-layout',
].join('; ');

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
};

export const PLAYGROUND_PATH = '/';

/**
 * Serves the built playground: the page at `/`, its files at `/assets/`. All files are read once at the start, so that no
 * path can reach any other file. Without a build, `/` explains how to build the playground.
 * @returns a handler that returns whether it answered the request
 */
export function createPlaygroundHandler(
  directory: string,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const files = readFiles(directory);
  return (request, response) => {
    const [path = '/'] = (request.url ?? '/').split('?', 1);
    const file = files.get(path);
    if (file === undefined) return false;
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD', 'content-length': 0 }).end();
      return true;
    }
    response.writeHead(file.status, { ...file.headers, 'content-length': file.body.length });
    response.end(request.method === 'HEAD' ? undefined : file.body);
    return true;
  };
}

function readFiles(directory: string): ReadonlyMap<string, File> {
  const assets = join(directory, 'assets');
  try {
    // Names of assets contain a hash of their content.
    const immutable = listFiles(assets).map(({ name }): [string, File] => [
      `/assets/${name}`,
      createFile(name, readFileSync(join(assets, name)), 'public, max-age=31536000, immutable'),
    ]);
    const page = createFile('index.html', readFileSync(join(directory, 'index.html')), 'no-cache');
    return new Map([...immutable, [PLAYGROUND_PATH, page]]);
  } catch (error) {
    if (!isMissing(error)) throw error;
    return new Map([[PLAYGROUND_PATH, NOT_BUILT]]);
  }
}

function listFiles(directory: string): readonly Dirent[] {
  return readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile());
}

function createFile(name: string, body: Buffer, cacheControl: string): File {
  return {
    status: 200,
    body,
    headers: {
      'content-type': CONTENT_TYPES[extname(name)] ?? 'application/octet-stream',
      'cache-control': cacheControl,
      'content-security-policy': CONTENT_SECURITY_POLICY,
    },
  };
}

const NOT_BUILT: File = {
  ...createFile(
    '',
    Buffer.from('The playground is not built. Run "npm run build". GraphiQL is at /graphql.\n'),
    'no-store',
  ),
  status: 503,
  headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
};

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
