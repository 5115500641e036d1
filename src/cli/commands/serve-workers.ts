import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type Config, ConfigError } from '../../config/index.js';
import { systemClock, toUrlHost } from '../../shared/index.js';
import { createLogger } from '../../telemetry/index.js';
import { createFork } from '../workers/worker-context.js';
import type { ListenAddress } from '../workers/worker-process.js';
import { WorkerPool, WorkerStartError } from '../workers/worker-pool.js';
import type { CommandContext } from '../command-context.js';
import { formatReadyLines } from './ready-lines.js';

/** Runs several nodes on one port, each in its own process, until the program is asked to stop. */
export async function serveWorkers(
  count: number,
  args: readonly string[],
  config: Config,
  { program, stdout, stderr, stopped }: CommandContext,
): Promise<number> {
  if (config.bus === 'memory') throw new ConfigError([formatMissingBus(count, config)]);
  const port = await reservePort(config);
  const logger = createLogger(config.logLevel);
  const fork = createFork(program, ['serve', ...args, '--port', String(port)]);
  const abort = new AbortController();
  let reason = 'all workers failed';
  const stopping = stopped.then((signal) => {
    reason = signal ?? 'requested';
    logger.info({ reason }, 'swarmlens is stopping');
    abort.abort();
  });
  try {
    const options = { count, fork, shutdownMs: config.shutdownMs, clock: systemClock, random: Math.random, logger };
    const { workers, address } = await WorkerPool.start(options, abort.signal);
    await using running = workers;
    if (address !== null) logger.info({ pid: process.pid, workers: count, url: formatUrl(address) }, 'listening');
    if (address !== null) await Promise.race([running.discovered(), stopping, running.ended()]);
    if (address !== null && !abort.signal.aborted && running.size > 0) {
      stdout.write(formatReadyLines(formatUrl(address), `, with ${running.size} workers`));
    }
    await Promise.race([stopping, running.ended()]);
    if (abort.signal.aborted) {
      const isClean = await running.stop();
      logger.info({ reason }, 'swarmlens stopped');
      return isClean ? 0 : 1;
    }
    logger.info({ reason }, 'swarmlens stopped');
    stderr.write('All workers failed. Fix the errors logged above, then start swarmlens again.\n');
    return 1;
  } catch (error) {
    // The worker has already printed the reason.
    if (error instanceof WorkerStartError) return error.code;
    throw error;
  }
}

function formatMissingBus(count: number, { file }: Config): string {
  const reason = file == null ? 'there is no configuration file' : 'is "memory"';
  return `swarmlens.bus: ${reason} – the ${count} nodes of --workers ${count} need a common Redis: set "bus": "redis://127.0.0.1:6379" under "swarmlens"`;
}

/**
 * Finds out the port for all workers, and whether it is free.
 * @throws the system error if it is not
 */
async function reservePort({ host, port }: Config): Promise<number> {
  const server = createServer().listen(port, host);
  await once(server, 'listening');
  const bound = server.address() as AddressInfo; // a TCP server's address is never a string
  server.close();
  await once(server, 'close');
  return bound.port;
}

function formatUrl({ address, port }: ListenAddress): string {
  return `http://${toUrlHost(address)}:${port}`;
}
