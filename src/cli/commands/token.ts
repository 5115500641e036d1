import type { Stats } from 'node:fs';
import { resolve } from 'node:path';
import {
  createStaticToken,
  hashSecret,
  type Permission,
  PERMISSIONS,
  readTokenFile,
  type StoredToken,
  TokenFileError,
  updateTokenFile,
} from '../../auth/index.js';
import { parseDuration, parseFlags, parseList, parseServerTypes } from '../arguments.js';
import { describeReaders, didYouMean, isoTimestamp, systemClock } from '../../shared/index.js';
import { formatTable } from '../terminal/table.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../help.js';

const DEFAULT_FILE = 'swarmlens.tokens.json';

const FILE_FLAG = { file: { type: 'string' } } as const;

/** Creates, lists and revokes static tokens. */
export async function token(args: readonly string[], context: CommandContext): Promise<number> {
  const [action, ...rest] = args;
  try {
    if (action === 'create') return await create(rest, context);
    if (action === 'list') return await list(rest, context);
    if (action === 'revoke') return await revoke(rest, context);
  } catch (error) {
    if (!(error instanceof TokenFileError)) throw error;
    context.stderr.write(`${error.message}\n`);
    return 1;
  }
  const reason = action === undefined ? 'the action is missing' : `unknown action "${action}"`;
  throw new UsageError(`swarmlens token: ${reason}, expected create, list or revoke`);
}

async function create(args: readonly string[], { cwd, stdout, stderr }: CommandContext): Promise<number> {
  const flags = parseFlags('token create', args, {
    ...FILE_FLAG,
    scopes: { type: 'string' },
    'server-types': { type: 'string' },
    servers: { type: 'string' },
    swarms: { type: 'string' },
    'agent-types': { type: 'string' },
    'no-performance': { type: 'boolean' },
    'no-neural': { type: 'boolean' },
    expires: { type: 'string' },
    name: { type: 'string' },
  });
  const file = resolve(cwd, flags.file ?? DEFAULT_FILE);
  const created = createStaticToken();
  const stored: StoredToken = {
    id: created.id,
    name: flags.name ?? null,
    hash: hashSecret(created.secret),
    permissions: parsePermissions(flags.scopes),
    restriction: {
      serverIds: parseList('token create', 'servers', flags.servers),
      serverTypes: parseServerTypes('token create', 'server-types', flags['server-types']),
      agentTypes:
        parseList('token create', 'agent-types', flags['agent-types'])?.map((type) => type.toLowerCase()) ?? null,
      swarmIds: parseList('token create', 'swarms', flags.swarms),
      performance: flags['no-performance'] !== true,
      neural: flags['no-neural'] !== true,
    },
    createdAt: isoTimestamp(systemClock),
    expiresAt: parseExpiry(flags.expires),
  };
  const stats = await updateTokenFile(file, (tokens) => [...tokens, stored]);
  // The token is the only standard output, so that scripts can read it.
  stdout.write(`${created.text}\n`);
  const expiry = stored.expiresAt === null ? 'does not expire' : `expires at ${stored.expiresAt}`;
  stderr.write(
    `This token is shown only once and ${expiry}. Its hash is in ${file}. To revoke it, use its id ${created.id}.\n`,
  );
  warnAboutReaders(file, stats, stderr);
  return 0;
}

async function list(args: readonly string[], { cwd, stdout }: CommandContext): Promise<number> {
  const { file = DEFAULT_FILE } = parseFlags('token list', args, FILE_FLAG);
  const tokens = await readTokenFile(resolve(cwd, file));
  const head = ['ID', 'NAME', 'SCOPES', 'SEES', 'CREATED', 'EXPIRES'];
  const rows = tokens.map(({ id, name, permissions, restriction, createdAt, expiresAt }) => [
    id,
    name ?? '–',
    permissions.join(',') || '–',
    formatRestriction(restriction),
    createdAt,
    expiresAt === null ? 'never' : expiresAt + (Date.parse(expiresAt) <= systemClock.now() ? ' (expired)' : ''),
  ]);
  stdout.write(rows.length === 0 ? 'The file has no tokens.\n' : formatTable([head, ...rows]));
  return 0;
}

async function revoke(args: readonly string[], { cwd, stdout, stderr }: CommandContext): Promise<number> {
  const [id, ...rest] = args;
  if (id === undefined || id.startsWith('-')) {
    throw new UsageError('swarmlens token revoke: the id of the token is missing, see `swarmlens token list`');
  }
  const { file = DEFAULT_FILE } = parseFlags('token revoke', rest, FILE_FLAG);
  const path = resolve(cwd, file);
  const stats = await updateTokenFile(path, (tokens) => {
    const remaining = tokens.filter((token) => token.id !== id);
    if (remaining.length === tokens.length) throw new TokenFileError(path, `has no token with the id "${id}"`);
    return remaining;
  });
  stdout.write(`Revoked ${id}.\n`);
  warnAboutReaders(path, stats, stderr);
  return 0;
}

/**
 * Names the users whose swarmlens sees a change, if swarmlens may run as another user: a user who changes files of another
 * one, or root. Without that, swarmlens could not have read the file before either.
 */
function warnAboutReaders(file: string, stats: Stats, stderr: CommandContext['stderr']): void {
  const readers = describeReaders(stats);
  const ownId = process.geteuid?.();
  if (readers === null || (stats.uid === ownId && ownId !== 0)) return;
  stderr.write(`Only ${readers} can read ${file}. A running swarmlens of another user does not notice the change.\n`);
}

function formatRestriction({ performance, neural, ...lists }: StoredToken['restriction']): string {
  const names = { serverIds: 'servers', serverTypes: 'server-types', agentTypes: 'agent-types', swarmIds: 'swarms' };
  const parts = Object.entries(names).flatMap(([key, name]) => {
    const values = lists[key as keyof typeof names]; // a key of `names`
    return values === null ? [] : [`${name}=${values.join(',')}`];
  });
  if (!performance) parts.push('no-performance');
  if (!neural) parts.push('no-neural');
  return parts.join(' ') || 'everything';
}

function parsePermissions(text: string | undefined): Permission[] {
  const expected = `expected one or more of ${PERMISSIONS.join(', ')}, separated by commas`;
  if (text === undefined) throw new UsageError(`swarmlens token create: --scopes is missing, ${expected}`);
  return (parseList('token create', 'scopes', text) ?? []).map((entry) => {
    const permission = PERMISSIONS.find((candidate) => candidate === entry);
    if (permission !== undefined) return permission;
    throw new UsageError(
      `swarmlens token create: --scopes has "${entry}"${didYouMean(entry, PERMISSIONS)}, ${expected}`,
    );
  });
}

function parseExpiry(text: string | undefined): string | null {
  if (text === undefined) return null;
  const ms = parseDuration(text);
  if (ms !== null) return new Date(systemClock.now() + ms).toISOString();
  throw new UsageError(`swarmlens token create: --expires is "${text}", expected a duration such as 30d, 12h or 15m`);
}
