import { once } from 'node:events';
import { type AddressInfo, createServer, isIPv6 } from 'node:net';
import { type Config, ConfigError } from '../../config/index.js';
import { systemClock } from '../../shared/index.js';
import { createLogger } from '../../telemetry/index.js';
import { createFork } from '../workers/worker-context.js';
import type { ListenAddress } from '../workers/worker-process.js';
import { WorkerPool, WorkerStartError } from '../workers/worker-pool.js';
import type { CommandContext } from '../command-context.js';

/** Runs so many nodes on one port, each in a process of its own, until it is told to stop. */
export async function serveWorkers(
  count: number,
  args: readonly string[],
  config: Config,
  { program, stdout, stderr, stopped }: CommandContext,
): Promise<number> {
  if (config.bus === 'memory') throw new ConfigError([busIsMissing(count, config)]);
  const port = await freePort(config);
  const logger = createLogger(config.logLevel);
  const fork = createFork(program, ['serve', ...args, '--port', String(port)]);
  const asked = new AbortController();
  const isAsked = stopped.then(() => asked.abort());
  try {
    const options = { count, fork, shutdownMs: config.shutdownMs, clock: systemClock, random: Math.random, logger };
    const { workers, place } = await WorkerPool.start(options, asked.signal);
    await using running = workers;
    if (place !== null) stdout.write(`swarmlens is ready at ${urlOf(place)}/graphql, with ${running.size} workers\n`);
    await Promise.race([isAsked, running.ended()]);
    if (asked.signal.aborted) return (await running.stop()) ? 0 : 1;
    stderr.write('swarmlens has given up all of its workers: start it again when what they have said is mended\n');
    return 1;
  } catch (error) {
    // It has said why.
    if (error instanceof WorkerStartError) return error.code;
    throw error;
  }
}

function busIsMissing(count: number, { file }: Config): string {
  const where = file == null ? 'there is no configuration file' : 'is "memory"';
  return `swarmlens.bus: ${where} – --workers ${count} is ${count} nodes, which meet in a Redis: set "bus": "redis://127.0.0.1:6379" under "swarmlens"`;
}

/**
 * All workers have to be told one port, and whether it is free is said once.
 * @throws the system's error
 */
async function freePort({ host, port }: Config): Promise<number> {
  const server = createServer().listen(port, host);
  await once(server, 'listening');
  const bound = server.address() as AddressInfo; // a TCP server's address is never a string
  server.close();
  await once(server, 'close');
  return bound.port;
}

function urlOf({ address, port }: ListenAddress): string {
  return `http://${isIPv6(address) ? `[${address}]` : address}:${port}`;
}
