import { randomUUID } from 'node:crypto';
import { isServerName } from '../../model/index.js';
import { errorMessage } from '../../shared/index.js';
import { buildUplinkUrl, runTap } from '../../tap/index.js';
import { parseFlags } from '../arguments.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../help.js';

/** Exit codes that shells use for commands that cannot be started. */
const NOT_FOUND = 127;
const NOT_STARTED = 126;

/** Proxies a stdio MCP server and exits with its exit status. */
export async function tap(args: readonly string[], { env, stdin, stderr }: CommandContext): Promise<number> {
  const dashes = args.indexOf('--');
  const flags = parseFlags('tap', dashes < 0 ? args : args.slice(0, dashes), {
    server: { type: 'string' },
    url: { type: 'string' },
    token: { type: 'string' },
  });
  const [command, ...commandArgs] = dashes < 0 ? [] : args.slice(dashes + 1);
  const server = parseServerName(flags.server);
  const url = buildUplinkUrl(flags.url, server, randomUUID());
  if (url === null) {
    throw new UsageError(
      'swarmlens tap: --url is not a swarmlens URL, expected one like ws://127.0.0.1:4000 without user, query or fragment',
    );
  }
  const token = parseToken(
    flags.token === undefined ? 'SWARMLENS_TOKEN' : '--token',
    flags.token ?? env['SWARMLENS_TOKEN'],
  );
  if (command === undefined || command === '') {
    throw new UsageError(
      'swarmlens tap: the command to start is missing, expected: swarmlens tap --server NAME -- COMMAND ARGS…',
    );
  }
  try {
    return await runTap({ command, args: commandArgs, env, stdin, url, token });
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const reason = isMissing ? 'command not found' : `cannot be started: ${errorMessage(error)}`;
    stderr.write(`swarmlens tap: ${command}: ${reason}\n`);
    return isMissing ? NOT_FOUND : NOT_STARTED;
  }
}

function parseServerName(name: string | undefined): string {
  if (name === undefined) {
    throw new UsageError(
      'swarmlens tap: --server NAME is missing, expected the name under which swarmlens shows this server',
    );
  }
  if (isServerName(name)) return name;
  throw new UsageError(
    `swarmlens tap: --server is ${JSON.stringify(name)}, expected 1 to 64 characters without colons and control characters`,
  );
}

/** Checks that a token can be sent in a header. Returns null if there is no token. */
function parseToken(source: string, token: string | undefined): string | null {
  if (token === undefined || token === '') return null;
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new UsageError(`swarmlens tap: ${source} contains characters that are not allowed in tokens`);
}
