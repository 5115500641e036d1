import type { Stats } from 'node:fs';
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises';
import { z } from 'zod';
import { MCP_SERVER_TYPES } from '../model/index.js';
import {
  errorMessage,
  findReplacementIssue,
  findWriteIssue,
  formatMode,
  hasErrorCode,
  readCheckedFile,
  RefusedFileError,
  resolveLinks,
} from '../shared/index.js';
import { PERMISSIONS } from './viewer.js';

const MAX_FILE_BYTES = 10 * 1024 * 1024;
/** Mode of a new token file. */
const NEW_FILE_MODE = 0o600;

const namesSchema = z.array(z.string()).nullable();

const storedTokenSchema = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{12}$/),
  /** Name for people. */
  name: z.string().nullable(),
  /** SHA-256 of the secret as hex. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  permissions: z.array(z.enum(PERMISSIONS)),
  restriction: z.strictObject({
    serverIds: namesSchema,
    serverTypes: z.array(z.enum(MCP_SERVER_TYPES)).nullable(),
    agentTypes: namesSchema.transform((types) => types?.map((type) => type.toLowerCase()) ?? null),
    swarmIds: namesSchema,
    performance: z.boolean(),
    neural: z.boolean(),
  }),
  createdAt: z.iso.datetime(),
  /** Time of expiry. Null if the token is valid until it is revoked. */
  expiresAt: z.iso.datetime().nullable(),
});

/** Token in the file, without its secret. */
export type StoredToken = Readonly<z.infer<typeof storedTokenSchema>>;

const tokenFileSchema = z
  .strictObject({ tokens: z.array(storedTokenSchema) })
  .refine(({ tokens }) => new Set(tokens.map(({ id }) => id)).size === tokens.length, {
    error: 'two tokens have the same id',
  });

/** Error of an unusable token file, with the path and the reason on one line. */
export class TokenFileError extends Error {
  override readonly name = 'TokenFileError';
  /** Whether the file does not exist. */
  readonly isMissing: boolean;

  constructor(file: string, reason: string, isMissing = false) {
    super(`${file}: ${reason}`);
    this.isMissing = isMissing;
  }
}

/**
 * Reads and validates a token file. Follows symbolic links.
 * @throws TokenFileError if the file is invalid, or another user than its owner can write or replace it
 */
export async function readTokenFile(file: string): Promise<readonly StoredToken[]> {
  let text: string;
  try {
    text = await readCheckedFile(file, MAX_FILE_BYTES, findWriteIssue);
    await assertNotReplaceable(file);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) {
      throw new TokenFileError(file, 'file not found – create it with `swarmlens token create`', true);
    }
    throw toTokenFileError(file, 'cannot be read', error);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new TokenFileError(file, 'is not JSON');
  }
  const parsed = tokenFileSchema.safeParse(json);
  if (parsed.success) return parsed.data.tokens;
  const [issue] = parsed.error.issues;
  throw new TokenFileError(file, `invalid token file – at "${issue?.path.join('.') ?? ''}": ${issue?.message ?? ''}`);
}

/**
 * Replaces the tokens of the file atomically. An existing file keeps its owner, group and mode, so that every user that could read it
 * still can; a new one gets mode 0600. If the file is a symbolic link, the linked file is replaced. The new file is created
 * exclusively before the old one is read, so that concurrent changes cannot overwrite each other.
 * @returns status of the new file
 * @throws TokenFileError if the file is invalid, not writable, or being changed by another process
 */
export async function updateTokenFile(
  file: string,
  change: (tokens: readonly StoredToken[]) => readonly StoredToken[],
): Promise<Stats> {
  const target = await prepareUpdate(file);
  const next = `${target}.new`;
  const handle = await createExclusively(file, next);
  try {
    const before = await readTokensOrEmpty(file);
    const tokens = change(before);
    await handle.writeFile(`${JSON.stringify({ tokens }, null, 2)}\n`);
    const previous = await statOrNull(target);
    if (previous !== null) await copyAccess(file, previous, handle);
    await handle.sync();
    const stats = await handle.stat();
    await handle.close();
    await rename(next, target);
    await assertRemoved(file, before, tokens);
    return stats;
  } catch (error) {
    await handle.close();
    await unlink(next).catch(() => undefined);
    throw error;
  }
}

/** Returns the path of the file to replace, after links. */
async function prepareUpdate(file: string): Promise<string> {
  try {
    await assertNotReplaceable(file);
    return await resolveLinks(file);
  } catch (error) {
    throw toTokenFileError(file, 'cannot be written', error);
  }
}

async function assertNotReplaceable(file: string): Promise<void> {
  const issue = await findReplacementIssue(file);
  if (issue !== null) throw new RefusedFileError(issue);
}

/** Gives a new file the owner, group and mode of the previous one. */
async function copyAccess(file: string, previous: Stats, handle: FileHandle): Promise<void> {
  const created = await handle.stat();
  try {
    if (created.uid !== previous.uid || created.gid !== previous.gid) await handle.chown(previous.uid, previous.gid);
    await handle.chmod(previous.mode & 0o7777);
  } catch (error) {
    const { uid, gid, mode } = previous;
    const access = `owner ${uid}, group ${gid} and mode ${formatMode(mode)}`;
    const reason = `cannot keep its ${access}, so that swarmlens might not be able to read it – run the command as its owner`;
    throw new TokenFileError(file, `${reason} (${errorMessage(error)})`);
  }
}

/** Checks that a reader of the file no longer finds the removed tokens. */
async function assertRemoved(
  file: string,
  before: readonly StoredToken[],
  after: readonly StoredToken[],
): Promise<void> {
  const kept = new Set(after.map(({ id }) => id));
  const removed = new Set(before.map(({ id }) => id).filter((id) => !kept.has(id)));
  const remaining = (await readTokenFile(file)).find(({ id }) => removed.has(id));
  if (remaining === undefined) return;
  throw new TokenFileError(
    file,
    `still has the token with the id "${remaining.id}" – check what else changes the file`,
  );
}

async function createExclusively(file: string, next: string): Promise<FileHandle> {
  try {
    return await open(next, 'wx', NEW_FILE_MODE);
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST')) throw new TokenFileError(file, `cannot be written – ${errorMessage(error)}`);
    throw new TokenFileError(file, `is being changed by another process – delete ${next} if there is none`);
  }
}

async function readTokensOrEmpty(file: string): Promise<readonly StoredToken[]> {
  try {
    return await readTokenFile(file);
  } catch (error) {
    if (error instanceof TokenFileError && error.isMissing) return [];
    throw error;
  }
}

async function statOrNull(file: string): Promise<Stats | null> {
  try {
    return await stat(file);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return null;
    throw error;
  }
}

function toTokenFileError(file: string, problem: string, error: unknown): TokenFileError {
  if (error instanceof RefusedFileError) return new TokenFileError(file, error.message);
  return new TokenFileError(file, `${problem} – ${errorMessage(error)}`);
}
