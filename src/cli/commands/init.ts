import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_CONFIG_FILE, draftConfig, formatDraft, loadConfig } from '../../config/index.js';
import { createPrivateFile, errorMessage, systemClock } from '../../shared/index.js';
import { silentLogger } from '../../telemetry/index.js';
import { discoverCodingAgents, discoverServers, MCP_JSON_FILE } from '../../upstream/index.js';
import { parseFlags, parseWholeNumber } from '../arguments.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../help.js';
import { confirm } from '../terminal/confirm.js';

/** Writes a configuration file from the servers and coding agents that were found, after showing it. */
export async function init(args: readonly string[], context: CommandContext): Promise<number> {
  const { env, cwd, program, stdin, stdout, stderr, stopped } = context;
  const flags = parseFlags('init', args, {
    yes: { type: 'boolean' },
    host: { type: 'string', multiple: true },
    port: { type: 'string', multiple: true },
  });
  const file = join(cwd, DEFAULT_CONFIG_FILE);
  const exists = await lstat(file).then(
    () => true,
    () => false,
  );
  if (exists) throw alreadyExists(file);
  // The defaults, without any file.
  const { discovery } = await loadConfig({ flags: { demo: true }, env, cwd, program });
  const abort = new AbortController();
  stopped.then(
    () => abort.abort(),
    () => undefined,
  );
  const candidates = await discoverServers({
    directory: null,
    hosts: flags.host ?? discovery.hosts,
    ports: flags.port?.map((text) => parseWholeNumber('init', 'port', text, 0, 65_535, 1)) ?? discovery.ports,
    known: [],
    configFile: null,
    self: null,
    clock: systemClock,
    logger: silentLogger,
    signal: abort.signal,
  });
  if (abort.signal.aborted) return 0;
  const draft = await draftConfig({ file, clientFile: join(cwd, MCP_JSON_FILE), candidates, env });
  const agents = await discoverCodingAgents(discovery.codingAgents ?? [], draft.servers);
  const observed = agents.flatMap(({ name, serverId }) => (serverId === null && name !== null ? [name] : []));
  for (const note of draft.notes) stdout.write(`${note}\n`);
  if (draft.entries.size === 0 && observed.length === 0) {
    stderr.write(
      `Nothing found to write: no usable server in ${MCP_JSON_FILE}, none on the probed ports, and no coding agent.\n`,
    );
    return 1;
  }
  const text = formatDraft(draft, observed);
  stdout.write(`${file}:\n\n${text}\n`);
  if (flags.yes !== true) {
    if (stdin.isTTY !== true || stdout.isTTY !== true) {
      throw new UsageError(
        'swarmlens init: nothing was written, because there is no terminal to ask; pass --yes to write the file',
      );
    }
    if (!(await confirm('Write this file?', { stdin, stdout, stopped }))) {
      stdout.write('Nothing was written.\n');
      return 0;
    }
  }
  try {
    if (!(await createPrivateFile(file, text))) throw alreadyExists(file);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    stderr.write(`${file}: cannot be written – ${errorMessage(error)}\n`);
    return 1;
  }
  stdout.write(`Wrote ${file}. Check it with: swarmlens check --config ${DEFAULT_CONFIG_FILE}\n`);
  return 0;
}

function alreadyExists(file: string): UsageError {
  return new UsageError(`swarmlens init: ${file} exists already and is not changed; edit it, or remove it first`);
}
