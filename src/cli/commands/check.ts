import type { ServerCheck } from '../../upstream/index.js';
import { loadConfig } from '../../config/index.js';
import { systemClock } from '../../shared/index.js';
import { createLogger } from '../../telemetry/index.js';
import { parseFlags } from '../arguments.js';
import { formatTable } from '../terminal/table.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../help.js';

/** Connects once to each server and prints what was found; 1 when anything does not work. */
export async function check(
  args: readonly string[],
  { env, cwd, program, stdout, stderr, stopped }: CommandContext,
): Promise<number> {
  const flags = parseFlags('check', args, { config: { type: 'string' }, json: { type: 'boolean' } });
  if (flags.config === undefined && env['SWARMLENS_CONFIG'] === undefined) {
    throw new UsageError('swarmlens check: name the configuration to check with --config FILE');
  }
  const config = await loadConfig({ flags: { config: flags.config }, env, cwd, program });
  for (const warning of config.warnings ?? []) stderr.write(`${warning}\n`);
  const { checkServers } = await import('../../upstream/index.js');
  const checks = await checkServers(config, { clock: systemClock, logger: createLogger(config.logLevel) }, stopped);
  stdout.write(flags.json === true ? `${JSON.stringify(checks, null, 2)}\n` : tableOf(checks));
  return checks.every(({ error }) => error === null) ? 0 : 1;
}

function tableOf(checks: readonly ServerCheck[]): string {
  if (checks.length === 0) return 'The configuration is valid and names no servers.\n';
  const head = ['SERVER', 'STATUS', 'TYPE', 'NAME', 'VERSION', 'TRANSPORT', 'TOOLS', 'AGENTS', 'ERROR'];
  return formatTable([
    head,
    ...checks.map(({ id, status, type, name, version, transport, tools, agentCount, error }) => [
      id,
      status,
      type,
      name,
      version ?? '–',
      transport,
      // Nobody has counted what was never reached.
      agentCount === null ? '–' : `${tools.length}`,
      agentCount === null ? '–' : `${agentCount}`,
      error ?? '–',
    ]),
  ]);
}
