import { open, readFile, rename, unlink } from 'node:fs/promises';
import { z } from 'zod';
import { MCP_SERVER_TYPES } from '../model/index.js';
import { errorMessage } from '../shared/index.js';
import { PERMISSIONS } from './viewer.js';

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

/** Reads and validates a token file. @throws TokenFileError */
export async function readTokenFile(file: string): Promise<readonly StoredToken[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      throw new TokenFileError(file, 'file not found – create it with `swarmlens token create`', true);
    }
    throw new TokenFileError(file, 'cannot be read – it must be a readable file');
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
 * Replaces the tokens of the file atomically, with mode 0600. The new file is created exclusively before the old one is
 * read, so that concurrent changes cannot overwrite each other.
 * @throws TokenFileError if the file is invalid, not writable, or being changed by another process
 */
export async function updateTokenFile(
  file: string,
  change: (tokens: readonly StoredToken[]) => readonly StoredToken[],
): Promise<void> {
  const next = `${file}.new`;
  const handle = await createExclusively(file, next);
  try {
    const tokens = change(await readTokensOrEmpty(file));
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

async function createExclusively(file: string, next: string): ReturnType<typeof open> {
  try {
    return await open(next, 'wx', 0o600);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw new TokenFileError(file, `cannot be written – ${errorMessage(error)}`);
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

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
