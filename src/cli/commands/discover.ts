import { loadConfig } from '../../config/index.js';
import type { DiscoveryCandidate } from '../../model/index.js';
import { discoverServers } from '../../upstream/index.js';
import { systemClock } from '../../shared/index.js';
import { silentLogger } from '../../telemetry/index.js';
import { parseFlags, parseWholeNumber } from '../arguments.js';
import { formatTable } from '../terminal/table.js';
import { collectSecrets } from '../../shared/sanitize/index.js';
import type { CommandContext } from '../command-context.js';
import { withSecrets } from '../process-output.js';

/** Prints the MCP servers in `.mcp.json` and on well-known local ports, and the coding agents of this machine. */
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
  const abort = new AbortController();
  stopped.then(
    () => abort.abort(),
    () => undefined,
  );
  const { hosts, ports } = config.discovery;
  const candidates = await withSecrets(collectSecrets(config), () =>
    discoverServers({
      ...config.discovery,
      hosts: flags.host ?? hosts,
      ports: flags.port?.map((text) => parseWholeNumber('discover', 'port', text, 0, 65_535, 1)) ?? ports,
      // The demo's servers are not listed in a file and run only within the demo.
      known: config.demo ? [] : config.servers,
      configFile: config.file,
      self: null,
      clock: systemClock,
      logger: silentLogger,
      signal: abort.signal,
    }),
  );
  stdout.write(flags.json === true ? `${JSON.stringify(candidates, null, 2)}\n` : formatCandidates(candidates));
  return 0;
}

function formatCandidates(candidates: readonly DiscoveryCandidate[]): string {
  if (candidates.length === 0)
    return 'No servers found: this directory has no .mcp.json, nothing listens on the probed ports, and no coding agent is installed.\n';
  const head = ['PLACE', 'NAME', 'STATUS', 'TYPE', 'VERSION', 'TRANSPORT', 'TOOLS', 'CAPABILITIES', 'NOTE'];
  return formatTable([
    head,
    ...candidates.map((candidate) => [
      candidate.place,
      candidate.name ?? '–',
      candidate.status,
      candidate.type ?? '–',
      candidate.version ?? '–',
      candidate.transport ?? '–',
      // Unknown if the server was not probed.
      candidate.status === 'AVAILABLE' ? `${candidate.tools.length}` : '–',
      candidate.capabilities.join(',') || '–',
      candidate.serverId === null ? (candidate.detail ?? '–') : `configured as ${candidate.serverId}`,
    ]),
  ]);
}
