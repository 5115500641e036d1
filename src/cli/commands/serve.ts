import { type Config, ConfigFileWatcher, type ConfigFlags, loadConfig } from '../../config/index.js';
import { type MetricsExporter, systemClock } from '../../shared/index.js';
import { createLogger } from '../../telemetry/index.js';
import { getWorkerContext, type WorkerContext } from '../workers/worker-context.js';
import { parseFlags, parseWholeNumber } from '../arguments.js';
import type { CommandContext } from '../command-context.js';

/** What to do about an address that cannot be listened on; `null` when it is another error. */
export function explainListenError(error: unknown): string | null {
  if (!(error instanceof Error && 'syscall' in error && error.syscall === 'listen' && 'code' in error)) return null;
  if (error.code === 'EADDRINUSE') {
    return 'is in use: end the program that listens there, or pass another --port';
  }
  if (error.code === 'EACCES') return 'may not be listened on by this user: pass a --port above 1023';
  if (error.code === 'EADDRNOTAVAIL') return 'is no address of this machine: pass --host 127.0.0.1';
  return null;
}

const MAX_WORKERS = 256;

/** Runs the server, or several of them, until it is told to stop. */
export async function serve(args: readonly string[], terminal: CommandContext): Promise<number> {
  const { workers, ...flags } = parseFlags('serve', args, {
    config: { type: 'string' },
    port: { type: 'string' },
    host: { type: 'string' },
    workers: { type: 'string' },
    demo: { type: 'boolean' },
    'insecure-no-auth': { type: 'boolean' },
  });
  const count = parseWholeNumber('serve', 'workers', workers, 1, MAX_WORKERS, 1);
  using seat = getWorkerContext(terminal.env);
  const { env, cwd, program } = terminal;
  const config = await loadConfig({ flags, env, cwd, program });
  try {
    if (count === 1 || seat !== null) return await serveOne(config, flags, seat, terminal);
    const { serveWorkers } = await import('./serve-workers.js');
    return await serveWorkers(count, args, config, terminal);
  } catch (error) {
    const advice = explainListenError(error);
    if (advice === null) throw error;
    terminal.stderr.write(`${config.host}:${config.port} ${advice}\n`);
    return 1;
  }
}

/** @param seat `null`: it is the whole program, and says itself when it is ready */
async function serveOne(
  config: Config,
  flags: ConfigFlags,
  seat: WorkerContext | null,
  terminal: CommandContext,
): Promise<number> {
  const { env, cwd, program, stdout, stopped } = terminal;
  const logger = createLogger(config.logLevel, seat === null ? null : { worker: seat.number });
  const { createApp } = await import('../../app/index.js');
  const deps = { clock: systemClock, logger };
  await using app = await createApp(config, {
    ...deps,
    ...(seat !== null && { wrapMetricsExporter: (own: MetricsExporter) => seat.aggregateMetrics(own, deps) }),
  });
  if (config.demo) {
    stdout.write(
      'The agents are SIMULATED: no configuration was found, so three bundled MCP simulators are running.\n',
    );
    stdout.write('To watch your own: swarmlens serve --config .mcp.json\n');
  }
  await using _watch =
    config.file == null
      ? null
      : new ConfigFileWatcher({
          sources: { flags, env, cwd, program },
          file: config.file,
          clock: systemClock,
          logger,
          onConfig: (changed) => app.applyConfig(changed),
          onInvalid: (problems) => app.rejectConfig(problems),
        });
  if (seat === null) stdout.write(`swarmlens is ready at ${app.url}/graphql\n`);
  await (seat === null ? stopped : Promise.race([stopped, seat.stopRequested]));
  return 0;
}
