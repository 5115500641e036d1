import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';

interface File {
  readonly status: number;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Nothing from elsewhere, nothing inline, no markup from strings. `connect-src 'self'` lets the page's own socket
 * through.
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
  // The page has one worker, whose address it makes a script address of with this policy, and nothing else.
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

/**
 * Serves the built playground: the page at `/`, its files at `/assets/`. They are read once, now, and only what was
 * read is served, whatever a path says. Without a build, `/` says how to make one.
 *
 * @returns a handler that answers whether the request was its own
 */
export function createPlaygroundHandler(
  directory: string,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const files = read(directory);
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

function read(directory: string): ReadonlyMap<string, File> {
  const assets = join(directory, 'assets');
  try {
    // The names of assets hold a hash of what is in them.
    const immutable = entries(assets).map(({ name }): [string, File] => [
      `/assets/${name}`,
      fileOf(name, readFileSync(join(assets, name)), 'public, max-age=31536000, immutable'),
    ]);
    const page = fileOf('index.html', readFileSync(join(directory, 'index.html')), 'no-cache');
    return new Map([...immutable, ['/', page]]);
  } catch (error) {
    if (!isMissing(error)) throw error;
    return new Map([['/', NOT_BUILT]]);
  }
}

function entries(directory: string): readonly Dirent[] {
  return readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile());
}

function fileOf(name: string, body: Buffer, cacheControl: string): File {
  return {
    status: 200,
    body,
    headers: {
      'content-type': CONTENT_TYPES[extname(name)] ?? 'application/octet-stream',
      'cache-control': cacheControl,
      'content-security-policy': CONTENT_SECURITY_POLICY,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    },
  };
}

const NOT_BUILT: File = {
  ...fileOf(
    '',
    Buffer.from('The playground is not built: run `npm run build`. GraphiQL is at /graphql.\n'),
    'no-store',
  ),
  status: 503,
  headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
};

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
