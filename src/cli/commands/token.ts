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
import { parseDuration, parseFlags } from '../arguments.js';
import { MCP_SERVER_TYPES } from '../../model/index.js';
import { didYouMean, isoTimestamp, systemClock } from '../../shared/index.js';
import { formatTable } from '../terminal/table.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../help.js';

const DEFAULT_FILE = 'swarmlens.tokens.json';

const FILE_FLAG = { file: { type: 'string' } } as const;

/** Makes, lists and revokes static tokens. */
export async function token(args: readonly string[], terminal: CommandContext): Promise<number> {
  const [action, ...rest] = args;
  try {
    if (action === 'create') return await create(rest, terminal);
    if (action === 'list') return await list(rest, terminal);
    if (action === 'revoke') return await revoke(rest, terminal);
  } catch (error) {
    if (!(error instanceof TokenFileError)) throw error;
    terminal.stderr.write(`${error.message}\n`);
    return 1;
  }
  const said = action === undefined ? 'say what to do' : `there is no "${action}"`;
  throw new UsageError(`swarmlens token: ${said} – expected create, list or revoke`);
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
  const made = createStaticToken();
  const stored: StoredToken = {
    id: made.id,
    name: flags.name ?? null,
    hash: hashSecret(made.secret),
    permissions: permissionsOf(flags.scopes),
    restriction: {
      serverIds: listOf('servers', flags.servers),
      serverTypes: serverTypesOf(flags['server-types']),
      agentTypes: listOf('agent-types', flags['agent-types'])?.map((type) => type.toLowerCase()) ?? null,
      swarmIds: listOf('swarms', flags.swarms),
      performance: flags['no-performance'] !== true,
      neural: flags['no-neural'] !== true,
    },
    createdAt: isoTimestamp(systemClock),
    expiresAt: expiryOf(flags.expires),
  };
  await updateTokenFile(file, (tokens) => [...tokens, stored]);
  // Alone on standard output, so that a script can take it from there.
  stdout.write(`${made.text}\n`);
  const end = stored.expiresAt === null ? 'does not expire' : `expires at ${stored.expiresAt}`;
  stderr.write(`This token is shown once and ${end}. Its hash is in ${file}; revoke it with its id, ${made.id}.\n`);
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
    sight(restriction),
    createdAt,
    expiresAt === null ? 'never' : expiresAt + (Date.parse(expiresAt) <= systemClock.now() ? ' (expired)' : ''),
  ]);
  stdout.write(rows.length === 0 ? 'The file has no tokens.\n' : formatTable([head, ...rows]));
  return 0;
}

async function revoke(args: readonly string[], { cwd, stdout }: CommandContext): Promise<number> {
  const [id, ...rest] = args;
  if (id === undefined || id.startsWith('-')) {
    throw new UsageError('swarmlens token revoke: say which, by its id: see `swarmlens token list`');
  }
  const { file = DEFAULT_FILE } = parseFlags('token revoke', rest, FILE_FLAG);
  const path = resolve(cwd, file);
  await updateTokenFile(path, (tokens) => {
    const kept = tokens.filter((one) => one.id !== id);
    if (kept.length === tokens.length) throw new TokenFileError(path, `has no token with the id "${id}"`);
    return kept;
  });
  stdout.write(`${id} is revoked.\n`);
  return 0;
}

function sight({ performance, neural, ...lists }: StoredToken['restriction']): string {
  const names = { serverIds: 'servers', serverTypes: 'server-types', agentTypes: 'agent-types', swarmIds: 'swarms' };
  const said = Object.entries(names).flatMap(([key, name]) => {
    const values = lists[key as keyof typeof names]; // a key of `names`
    return values === null ? [] : [`${name}=${values.join(',')}`];
  });
  if (!performance) said.push('no-performance');
  if (!neural) said.push('no-neural');
  return said.join(' ') || 'everything';
}

function permissionsOf(text: string | undefined): Permission[] {
  const expected = `expected one or more of ${PERMISSIONS.join(', ')}, separated by commas`;
  if (text === undefined) throw new UsageError(`swarmlens token create: --scopes is missing – ${expected}`);
  return (listOf('scopes', text) ?? []).map((one) => {
    const found = PERMISSIONS.find((permission) => permission === one);
    if (found !== undefined) return found;
    throw new UsageError(`swarmlens token create: --scopes has "${one}"${didYouMean(one, PERMISSIONS)} – ${expected}`);
  });
}

function serverTypesOf(text: string | undefined): StoredToken['restriction']['serverTypes'] {
  const types = listOf('server-types', text)?.map((one) => {
    const found = MCP_SERVER_TYPES.find((type) => type === one.toUpperCase().replaceAll('-', '_'));
    if (found !== undefined) return found;
    const expected = `expected ${MCP_SERVER_TYPES.join(', ')}`;
    throw new UsageError(`swarmlens token create: --server-types has "${one}" – ${expected}`);
  });
  return types ?? null;
}

function listOf(flag: string, text: string | undefined): string[] | null {
  if (text === undefined) return null;
  const values = text.split(',').map((value) => value.trim());
  if (!values.includes('')) return values;
  throw new UsageError(`swarmlens token create: --${flag} has an empty entry – separate the entries by one comma`);
}

function expiryOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  const ms = parseDuration(text);
  if (ms !== null) return new Date(systemClock.now() + ms).toISOString();
  throw new UsageError(`swarmlens token create: --expires is "${text}" – expected a duration such as 30d, 12h or 15m`);
}
