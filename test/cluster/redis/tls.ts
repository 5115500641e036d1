import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RedisTls } from '../../../src/shared/index.js';
import { closeServer, listenOnLoopback } from '../../../src/shared/loopback-server.js';

/** Certificates of an authority, of a Redis at 127.0.0.1 and of its clients, in a temporary directory. */
export interface Certificates extends AsyncDisposable {
  readonly directory: string;
  /** Files of a client that trusts the authority. */
  readonly client: RedisTls;
  /** Arguments of `redis-server` that listens with TLS on a port. */
  redisArguments(tlsPort: number): readonly string[];
}

/** Creates certificates with the command line of OpenSSL. */
export async function createCertificates(): Promise<Certificates> {
  const directory = await mkdtemp(join(tmpdir(), 'swarmlens-tls-'));
  const openssl = (...args: readonly string[]): Buffer =>
    execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...newKey, '-subj', '/CN=test authority', '-keyout', 'ca.key', '-out', 'ca.pem');
  for (const name of ['redis', 'client']) {
    await writeFile(join(directory, `${name}.ext`), 'subjectAltName=IP:127.0.0.1');
    openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    const sign = ['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
    openssl(...sign, '-extfile', `${name}.ext`, '-out', `${name}.pem`);
  }
  const read = (name: string): Promise<string> => readFile(join(directory, name), 'utf8');
  return {
    directory,
    client: { ca: await read('ca.pem'), cert: await read('client.pem'), key: await read('client.key') },
    redisArguments: (tlsPort) => [
      ...['--tls-port', String(tlsPort), '--tls-ca-cert-file', join(directory, 'ca.pem')],
      ...['--tls-cert-file', join(directory, 'redis.pem'), '--tls-key-file', join(directory, 'redis.key')],
    ],
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

/** Returns a free port, because redis-server cannot choose one itself. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnLoopback(server, 0);
  await closeServer(server);
  return port;
}
