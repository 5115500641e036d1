import { ConfigWatch, type Flags, loadConfig } from '../config/index.js';
import { systemClock } from '../shared/index.js';
import { createLogger } from '../telemetry/index.js';
import { parseFlags } from './arguments.js';
import type { Terminal } from './terminal.js';

/** Runs the server until it is told to stop. */
export async function serve(
  args: readonly string[],
  { env, cwd, program, stdout, stderr, stopped }: Terminal,
): Promise<number> {
  const flags: Flags = parseFlags('serve', args, {
    config: { type: 'string' },
    port: { type: 'string' },
    host: { type: 'string' },
    demo: { type: 'boolean' },
    'insecure-no-auth': { type: 'boolean' },
  });
  const sources = { flags, env, cwd, program };
  const config = await loadConfig(sources);
  const logger = createLogger(config.logLevel);
  const { createApp } = await import('../app.js');
  try {
    await using app = await createApp(config, { clock: systemClock, logger });
    if (config.demo) {
      stdout.write(
        'The agents are SIMULATED: no configuration was found, so three bundled MCP simulators are running.\n',
      );
      stdout.write('To watch your own: swarmlens serve --config .mcp.json\n');
    }
    await using _watch =
      config.file == null
        ? null
        : new ConfigWatch({
            sources,
            file: config.file,
            clock: systemClock,
            logger,
            onConfig: (changed) => app.applyConfig(changed),
            onProblems: (problems) => app.refuseConfig(problems),
          });
    stdout.write(`swarmlens is ready at ${app.url}/graphql\n`);
    await stopped;
    return 0;
  } catch (error) {
    const advice = adviceOn(error);
    if (advice === null) throw error;
    stderr.write(`${config.host}:${config.port} ${advice}\n`);
    return 1;
  }
}

/** What to do about an address that cannot be listened on; `null` when it is another error. */
function adviceOn(error: unknown): string | null {
  if (!(error instanceof Error && 'syscall' in error && error.syscall === 'listen' && 'code' in error)) return null;
  if (error.code === 'EADDRINUSE') {
    return 'is in use: end the program that listens there, or pass another --port';
  }
  if (error.code === 'EACCES') return 'may not be listened on by this user: pass a --port above 1023';
  if (error.code === 'EADDRNOTAVAIL') return 'is no address of this machine: pass --host 127.0.0.1';
  return null;
}
