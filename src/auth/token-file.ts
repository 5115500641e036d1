import { open, readFile, rename, unlink } from 'node:fs/promises';
import { z } from 'zod';
import { MCP_SERVER_TYPES } from '../model/index.js';
import { errorMessage } from '../shared/index.js';
import { PERMISSIONS } from './viewer.js';

const LIST = z.array(z.string()).nullable();

const STORED_TOKEN = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{12}$/),
  /** What a person calls it. */
  name: z.string().nullable(),
  /** SHA-256 of its secret, hex. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  permissions: z.array(z.enum(PERMISSIONS)),
  restriction: z.strictObject({
    serverIds: LIST,
    serverTypes: z.array(z.enum(MCP_SERVER_TYPES)).nullable(),
    agentTypes: LIST.transform((types) => types?.map((type) => type.toLowerCase()) ?? null),
    swarmIds: LIST,
    performance: z.boolean(),
    neural: z.boolean(),
  }),
  createdAt: z.iso.datetime(),
  /** `null`: it stays until it is revoked. */
  expiresAt: z.iso.datetime().nullable(),
});

/** What the file keeps of a token: all but its secret. */
export type StoredToken = Readonly<z.infer<typeof STORED_TOKEN>>;

const FILE = z
  .strictObject({ tokens: z.array(STORED_TOKEN) })
  .refine(({ tokens }) => new Set(tokens.map(({ id }) => id)).size === tokens.length, {
    error: 'two tokens have the same id',
  });

/** A token file that cannot be used; the message names it and says why, on one line. */
export class TokenFileError extends Error {
  override readonly name = 'TokenFileError';
  /** There is none. */
  readonly isMissing: boolean;

  constructor(file: string, reason: string, isMissing = false) {
    super(`${file}: ${reason}`);
    this.isMissing = isMissing;
  }
}

/** @throws TokenFileError */
export async function readTokenFile(file: string): Promise<readonly StoredToken[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      throw new TokenFileError(file, 'there is no such file – make it with `swarmlens token create`', true);
    }
    throw new TokenFileError(file, 'cannot be read – it must be a readable file');
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new TokenFileError(file, 'is not JSON');
  }
  const parsed = FILE.safeParse(json);
  if (parsed.success) return parsed.data.tokens;
  const [issue] = parsed.error.issues;
  throw new TokenFileError(file, `is no token file – at "${issue?.path.join('.') ?? ''}": ${issue?.message ?? ''}`);
}

/**
 * Replaces the tokens of the file, which nobody ever sees half written; mode 0600. The file that is renamed over it is
 * made exclusively before the old one is read, so that of two who change it at once neither undoes the other.
 * @throws TokenFileError
 */
export async function updateTokenFile(
  file: string,
  change: (tokens: readonly StoredToken[]) => readonly StoredToken[],
): Promise<void> {
  const next = `${file}.new`;
  const handle = await openNew(file, next);
  try {
    const tokens = change(await tokensOf(file));
    await handle.writeFile(`${JSON.stringify({ tokens }, null, 2)}\n`);
    await handle.sync();
    await handle.close();
    await rename(next, file);
  } catch (error) {
    await handle.close();
    await unlink(next).catch(() => undefined);
    throw error;
  }
}

async function openNew(file: string, next: string): ReturnType<typeof open> {
  try {
    return await open(next, 'wx', 0o600);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw new TokenFileError(file, `cannot be written – ${errorMessage(error)}`);
    throw new TokenFileError(file, `is being changed by somebody else; if nobody does, delete ${next}`);
  }
}

async function tokensOf(file: string): Promise<readonly StoredToken[]> {
  try {
    return await readTokenFile(file);
  } catch (error) {
    if (error instanceof TokenFileError && error.isMissing) return [];
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
