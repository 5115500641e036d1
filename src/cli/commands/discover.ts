import { loadConfig } from '../../config/index.js';
import type { DiscoveryCandidate } from '../../model/index.js';
import { discoverServers as look } from '../../upstream/index.js';
import { systemClock } from '../../shared/index.js';
import { silentLogger } from '../../telemetry/index.js';
import { parseFlags } from '../arguments.js';
import { formatTable } from '../terminal/table.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../help.js';

/** Looks for MCP servers in the usual places and prints what it found. */
export async function discover(
  args: readonly string[],
  { env, cwd, program, stdout, stopped }: CommandContext,
): Promise<number> {
  const flags = parseFlags('discover', args, {
    json: { type: 'boolean' },
    config: { type: 'string' },
    host: { type: 'string', multiple: true },
    port: { type: 'string', multiple: true },
  });
  const config = await loadConfig({ flags: { config: flags.config }, env, cwd, program });
  const stop = new AbortController();
  stopped.then(
    () => stop.abort(),
    () => undefined,
  );
  const { directory = cwd, hosts = [], ports = [] } = config.discovery ?? {};
  const candidates = await look({
    directory,
    hosts: flags.host ?? hosts,
    ports: flags.port?.map(portOf) ?? ports,
    // The demo's servers are ours, and run only with it.
    known: config.demo ? [] : config.servers,
    configFile: config.file ?? null,
    self: null,
    clock: systemClock,
    logger: silentLogger,
    signal: stop.signal,
  });
  stdout.write(flags.json === true ? `${JSON.stringify(candidates, null, 2)}\n` : tableOf(candidates));
  return 0;
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new UsageError(`swarmlens discover: --port is "${text}", expected a whole number from 1 to 65535`);
}

function tableOf(candidates: readonly DiscoveryCandidate[]): string {
  if (candidates.length === 0)
    return 'Nothing was found: no .mcp.json here, and nothing listens on the ports looked at.\n';
  const head = ['PLACE', 'NAME', 'STATUS', 'TYPE', 'VERSION', 'TRANSPORT', 'TOOLS', 'CAPABILITIES', 'NOTE'];
  return formatTable([
    head,
    ...candidates.map((one) => [
      one.place,
      one.name ?? '–',
      one.status,
      one.type ?? '–',
      one.version ?? '–',
      one.transport ?? '–',
      // Nobody has counted those of what was not asked.
      one.status === 'AVAILABLE' ? `${one.tools.length}` : '–',
      one.capabilities.join(',') || '–',
      one.serverId === null ? (one.detail ?? '–') : `in the configuration as ${one.serverId}`,
    ]),
  ]);
}
