import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { isServerName } from '../../model/index.js';
import {
  ancestorKeys,
  defaultTapKeyFile,
  directoryKey,
  errorMessage,
  MAX_ALLOW_TOOLS,
  MAX_TOOL_NAME_LENGTH,
} from '../../shared/index.js';
import { collectSecrets, SecretRedactor } from '../../shared/sanitize/index.js';
import { parseUplinkUrl, runTap, type UplinkJoin, type UplinkUrl } from '../../tap/index.js';
import { parseFlags, parseList } from '../arguments.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../help.js';

/** Exit codes that shells use for commands that cannot be started. */
const NOT_FOUND = 127;
const NOT_STARTED = 126;

/** Proxies a stdio MCP server and exits with its exit status. */
export async function tap(args: readonly string[], { env, cwd, stdin, stderr }: CommandContext): Promise<number> {
  const dashes = args.indexOf('--');
  const flags = parseFlags('tap', dashes < 0 ? args : args.slice(0, dashes), {
    server: { type: 'string' },
    url: { type: 'string' },
    token: { type: 'string' },
    'key-file': { type: 'string' },
    'allow-tools': { type: 'string' },
  });
  const [command, ...commandArgs] = dashes < 0 ? [] : args.slice(dashes + 1);
  const server = parseServerName(flags.server);
  const target = parseUrl(flags.url);
  const keyFile = resolveKeyFile(target, flags['key-file'], env);
  const token = parseToken(
    flags.token === undefined ? 'SWARMLENS_TOKEN' : '--token',
    flags.token ?? env['SWARMLENS_TOKEN'],
  );
  if (command === undefined || command === '') {
    throw new UsageError(
      'swarmlens tap: the command to start is missing, expected: swarmlens tap --server NAME -- COMMAND ARGS…',
    );
  }
  const secrets = new SecretRedactor([token ?? '', ...collectSecrets({ args: commandArgs })]);
  const uplink = {
    url: target.url,
    join: { server, instance: randomUUID(), ...findOrigin(), allowTools: parseAllowTools(flags['allow-tools']) },
    token,
    keyFile: keyFile === null ? null : resolve(cwd, keyFile),
    notify: createNotifier(stderr, secrets),
  };
  try {
    return await runTap({ command, args: commandArgs, env, stdin, uplink });
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const reason = isMissing ? 'command not found' : `cannot be started: ${errorMessage(error)}`;
    stderr.write(secrets.redact(`swarmlens tap: ${command}: ${reason}\n`));
    return isMissing ? NOT_FOUND : NOT_STARTED;
  }
}

/** Most different notices of one tap, and their longest text, because standard error also belongs to the server. */
const MAX_NOTICES = 20;
const MAX_NOTICE_LENGTH = 500;

/**
 * Returns a function that writes each text once, in printable ASCII and without secrets, because parts of it may come from other
 * programs.
 */
function createNotifier(stderr: CommandContext['stderr'], secrets: SecretRedactor): (text: string) => void {
  const notices = new Set<string>();
  return (notice) => {
    const text = secrets
      .redact(notice)
      .slice(0, MAX_NOTICE_LENGTH)
      .replaceAll(/[^\x20-\x7e]/g, '?');
    if (notices.has(text) || notices.size >= MAX_NOTICES) return;
    notices.add(text);
    stderr.write(`swarmlens tap: ${text}\n`);
  };
}

function parseUrl(text: string | undefined): UplinkUrl {
  const url = parseUplinkUrl(text);
  if (url !== null) return url;
  throw new UsageError(
    'swarmlens tap: --url is not a swarmlens URL, expected one like ws://127.0.0.1:4000 without user, query or fragment',
  );
}

/**
 * Returns the path of the tap key. Null if TLS proves the identity of swarmlens.
 * @throws UsageError if nothing would prove it
 */
function resolveKeyFile(
  { url, isLoopback, isSecure }: UplinkUrl,
  flag: string | undefined,
  env: CommandContext['env'],
): string | null {
  if (flag === '') throw new UsageError('swarmlens tap: --key-file is empty, expected a path');
  if (flag !== undefined) return flag;
  const fromEnvironment = env['SWARMLENS_TAP_KEY_FILE'] ?? '';
  if (isLoopback) return fromEnvironment === '' ? defaultTapKeyFile(env) : fromEnvironment;
  if (isSecure) return null;
  throw new UsageError(
    `swarmlens tap: --url ${new URL(url).origin} is not on this machine, expected wss://, or --key-file with the tap key of that swarmlens`,
  );
}

function parseAllowTools(text: string | undefined): string[] {
  const tools = parseList('tap', 'allow-tools', text) ?? [];
  const tooLong = tools.find((tool) => tool.length > MAX_TOOL_NAME_LENGTH);
  if (tools.length <= MAX_ALLOW_TOOLS && tooLong === undefined) return tools;
  throw new UsageError(
    `swarmlens tap: --allow-tools is too long, expected at most ${MAX_ALLOW_TOOLS} names of at most ${MAX_TOOL_NAME_LENGTH} characters`,
  );
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

/**
 * Returns the identity of the MCP client, which is the parent process, and the keys of all processes above it. A client that starts
 * its server again has the same identity. Omits both for a tap whose parent has ended.
 */
function findOrigin(): Pick<UplinkJoin, 'client' | 'origin'> {
  const processKeys = ancestorKeys(process.ppid);
  const [client] = processKeys;
  return client === undefined ? {} : { client, origin: { processKeys, directoryKey: directoryKey(process.cwd()) } };
}
