import type { ServerCheck } from '../../upstream/index.js';
import { loadConfig } from '../../config/index.js';
import { systemClock } from '../../shared/index.js';
import { createLogger } from '../../telemetry/index.js';
import { parseFlags } from '../arguments.js';
import { formatTable } from '../terminal/table.js';
import { collectSecrets } from '../../shared/sanitize/index.js';
import type { CommandContext } from '../command-context.js';
import { withSecrets } from '../process-output.js';
import { UsageError } from '../help.js';

/** Connects once to each server and prints the result. Returns 2 if an entry has mistakes, and 1 if a server failed. */
export async function check(
  args: readonly string[],
  { env, cwd, program, stdout, stderr, stopped }: CommandContext,
): Promise<number> {
  const flags = parseFlags('check', args, {
    config: { type: 'string' },
    observe: { type: 'string' },
    json: { type: 'boolean' },
  });
  const { config: file, observe } = flags;
  if (file === undefined && observe === undefined && env['SWARMLENS_CONFIG'] === undefined) {
    throw new UsageError('swarmlens check: --config FILE is missing');
  }
  const config = await loadConfig({ flags: { config: file, observe }, env, cwd, program });
  for (const warning of config.warnings) stderr.write(`${warning}\n`);
  const { checkServers } = await import('../../upstream/index.js');
  const logger = createLogger(config.logLevel);
  const { heartbeatMs, limits } = config;
  const { maxAgentsPerServer } = limits;
  const checks = await withSecrets(collectSecrets(config), () =>
    checkServers(config.servers, { clock: systemClock, logger, heartbeatMs, maxAgentsPerServer, stopped }),
  );
  stdout.write(flags.json === true ? `${JSON.stringify(checks, null, 2)}\n` : formatChecks(checks));
  if (config.servers.some(({ endpoint }) => endpoint.type === 'unusable')) return 2;
  return checks.every(({ error }) => error === null) ? 0 : 1;
}

function formatChecks(checks: readonly ServerCheck[]): string {
  if (checks.length === 0) return 'The configuration is valid and names no servers.\n';
  const head = [
    'SERVER',
    'STATUS',
    'TYPE',
    'NAME',
    'VERSION',
    'TRANSPORT',
    'TOOLS',
    'AGENTS',
    'SWARMS',
    'TASKS',
    'ERROR',
  ];
  const servers = formatTable([
    head,
    ...checks.map(({ id, status, type, name, version, transport, tools, agentCount, swarmCount, taskCount, error }) => [
      id,
      status,
      type,
      name,
      version ?? '–',
      transport,
      // Unknown if the server was never reached.
      agentCount === null ? '–' : `${tools.length}`,
      agentCount === null ? '–' : `${agentCount}`,
      swarmCount === null ? '–' : `${swarmCount}`,
      taskCount === null ? '–' : `${taskCount}`,
      error ?? '–',
    ]),
  ]);
  return `${servers}${formatAgents(checks)}`;
}

/** Maximum length of a text of a server in the table of agents. */
const MAX_CELL_LENGTH = 40;

/** Formats the first agents of each server, which show what a mapping does. */
function formatAgents(checks: readonly ServerCheck[]): string {
  const rows = checks.flatMap(({ id, agents }) =>
    agents.map((agent) =>
      [id, agent.nativeId, agent.name, agent.type, agent.status, agent.swarmId ?? '–', agent.model ?? '–'].map(shorten),
    ),
  );
  if (rows.length === 0) return '';
  return `\n${formatTable([['SERVER', 'FIRST AGENTS', 'NAME', 'TYPE', 'STATUS', 'SWARM', 'MODEL'], ...rows])}`;
}

function shorten(text: string): string {
  return text.length <= MAX_CELL_LENGTH ? text : `${text.slice(0, MAX_CELL_LENGTH - 1)}…`;
}
