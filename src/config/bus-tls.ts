import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errorMessage, type RedisAddress, type RedisTls } from '../shared/index.js';
import type { SwarmlensOptions } from './schema.js';

/** Warning for nodes that cannot authenticate each other. */
export const NO_BUS_KEYS_WARNING =
  'swarmlens.busKeys is not set: anybody who can write to Redis can change what this cluster shows, and callTool is refused for servers that another node owns. Set the same key on all nodes, for example "busKeys": ["${SWARMLENS_BUS_KEY}"].';

/**
 * Reads the certificates for TLS connections to Redis. Returns null if none are configured, or if one is invalid and added to
 * `problems`.
 */
export async function readBusTls(
  { bus, busTls }: { readonly bus: 'memory' | RedisAddress; readonly busTls: SwarmlensOptions['busTls'] },
  directory: string,
  problems: string[],
): Promise<RedisTls | null> {
  if (busTls === undefined) return null;
  if (bus === 'memory' || !bus.tls) {
    problems.push('swarmlens.busTls: is set, but swarmlens.bus does not use TLS – expected a URL with rediss');
    return null;
  }
  const { caFile, certFile, keyFile } = busTls;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const [missing, other] = certFile === undefined ? ['certFile', 'keyFile'] : ['keyFile', 'certFile'];
    problems.push(`swarmlens.busTls.${missing}: is missing – expected a path, because ${other} is set`);
    return null;
  }
  const read = async (
    name: string,
    path: string | undefined,
    parse: (pem: string) => unknown,
  ): Promise<string | null> => {
    if (path === undefined) return null;
    const file = resolve(directory, path);
    try {
      const pem = await readFile(file, 'utf8');
      parse(pem);
      return pem;
    } catch (error) {
      const isMissing = error instanceof Error && 'syscall' in error;
      // Errors of the file system contain the path only, other errors may quote the file.
      const reason = isMissing ? `cannot be read (${errorMessage(error)})` : 'is not valid PEM';
      problems.push(`swarmlens.busTls.${name}: ${file} ${reason} – expected a readable PEM file`);
      return null;
    }
  };
  return {
    ca: await read('caFile', caFile, (pem) => new X509Certificate(pem)),
    cert: await read('certFile', certFile, (pem) => new X509Certificate(pem)),
    key: await read('keyFile', keyFile, (pem) => createPrivateKey(pem)),
  };
}
