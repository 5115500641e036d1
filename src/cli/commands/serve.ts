import { type Config, ConfigFileWatcher, type ConfigFlags, loadConfig } from '../../config/index.js';
import { errorMessage, type Logger, type MetricsExporter, systemClock } from '../../shared/index.js';
import { createLogger } from '../../telemetry/index.js';
import { getWorkerContext, type WorkerContext } from '../workers/worker-context.js';
import { parseFlags, parseWholeNumber } from '../arguments.js';
import { collectSecrets } from '../../shared/sanitize/index.js';
import type { CommandContext } from '../command-context.js';
import { explainListenError } from '../listen-error.js';
import { withSecrets } from '../process-output.js';
import { formatReadyLines, formatUnobserved } from './ready-lines.js';

const MAX_WORKERS = 256;

/** Runs the server, or several workers, until the program is asked to stop. */
export async function serve(args: readonly string[], context: CommandContext): Promise<number> {
  const { workers, ...flags } = parseFlags('serve', args, {
    config: { type: 'string' },
    port: { type: 'string' },
    host: { type: 'string' },
    workers: { type: 'string' },
    demo: { type: 'boolean' },
    observe: { type: 'string' },
    'insecure-no-auth': { type: 'boolean' },
  });
  const count = parseWholeNumber('serve', 'workers', workers, 1, MAX_WORKERS, 1);
  using worker = getWorkerContext(context.env);
  const { env, cwd, program } = context;
  const config = await loadConfig({ flags, env, cwd, program });
  try {
    return await withSecrets(collectSecrets(config), async () => {
      if (count === 1 || worker !== null) return serveOne(config, flags, worker, context);
      const { serveWorkers } = await import('./serve-workers.js');
      return serveWorkers(count, args, config, context);
    });
  } catch (error) {
    const advice = explainListenError(error);
    if (advice === null) throw error;
    context.stderr.write(`${config.host}:${config.port} ${advice}\n`);
    return 1;
  }
}

/**
 * Runs one node and logs why it stops.
 * @param worker context of this worker process; null if this process is the whole program
 */
async function serveOne(
  config: Config,
  flags: ConfigFlags,
  worker: WorkerContext | null,
  context: CommandContext,
): Promise<number> {
  const logger = createLogger(config.logLevel, worker === null ? null : { worker: worker.number });
  try {
    const reason = await runNode(config, flags, worker, context, logger);
    logger.info({ reason }, 'swarmlens stopped');
    return 0;
  } catch (error) {
    logger.info({ reason: errorMessage(error) }, 'swarmlens stopped');
    throw error;
  }
}

/** Runs one node until it is asked to stop. Resolves with the reason when everything is closed. */
async function runNode(
  config: Config,
  flags: ConfigFlags,
  worker: WorkerContext | null,
  context: CommandContext,
  logger: Logger,
): Promise<string> {
  const { env, cwd, program, stdout, stopped } = context;
  const { createApp } = await import('../../app/index.js');
  const deps = { clock: systemClock, logger };
  await using app = await createApp(config, {
    ...deps,
    ...(worker !== null && { wrapMetricsExporter: (local: MetricsExporter) => worker.aggregateMetrics(local, deps) }),
  });
  logger.info({ pid: process.pid, node: process.version, url: app.url }, 'listening');
  if (config.demo) {
    stdout.write(
      'The agents are SIMULATED: no configuration was found, so three bundled MCP simulators are running.\n',
    );
    stdout.write('To connect your own servers: swarmlens serve --config .mcp.json\n');
  }
  if (config.file === null && flags.demo !== true) stdout.write(await describeUnobserved(config, env));
  await using _watch =
    config.file === null
      ? null
      : new ConfigFileWatcher({
          sources: { flags, env, cwd, program },
          file: config.file,
          clock: systemClock,
          logger,
          onConfig: (changed) => app.applyConfig(changed),
          onInvalid: (problems) => app.rejectConfig(problems),
        });
  const requested = stopped.then((signal) => signal ?? 'requested');
  const stopping =
    worker === null ? requested : Promise.race([requested, worker.stopRequested.then(() => 'primary process')]);
  const isDiscovered = await Promise.race([app.discovered.then(() => true), stopping.then(() => false)]);
  if (isDiscovered) {
    if (worker === null) stdout.write(formatReadyLines(app.url));
    else worker.reportDiscovered();
  }
  const reason = await stopping;
  logger.info({ reason }, 'swarmlens is stopping');
  return reason;
}

/** Returns a line about the coding agents that are installed and not observed. Empty if there are none. */
async function describeUnobserved({ discovery, servers }: Config, env: CommandContext['env']): Promise<string> {
  const { discoverCodingAgents } = await import('../../upstream/index.js');
  const agents = await discoverCodingAgents(discovery.codingAgents ?? [], servers);
  return formatUnobserved(agents, env['npm_lifecycle_event'] === 'start' ? 'npm start --' : 'swarmlens serve');
}
