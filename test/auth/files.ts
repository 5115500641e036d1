import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { updateTokenFile, hashSecret, createStaticToken, PERMISSIONS, type StoredToken } from '../../src/auth/index.js';
import { UNRESTRICTED } from '../../src/model/index.js';

/** Temporary directory with a token file. */
export class TokenDirectory implements AsyncDisposable {
  readonly file: string;
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
    this.file = join(directory, 'tokens.json');
  }

  static async make(): Promise<TokenDirectory> {
    return new TokenDirectory(await mkdtemp(join(tmpdir(), 'swarmlens-test-')));
  }

  /** Adds a token to the file. @returns the token and its entry in the file */
  async create(overrides: Partial<StoredToken> = {}): Promise<{ text: string; stored: StoredToken }> {
    const { id, secret, text } = createStaticToken();
    const stored: StoredToken = {
      id,
      name: null,
      hash: hashSecret(secret),
      permissions: [...PERMISSIONS],
      // The lists of a stored token are mutable, those of `UNRESTRICTED` are not.
      restriction: { ...UNRESTRICTED, serverIds: null, serverTypes: null, agentTypes: null, swarmIds: null },
      createdAt: '2026-11-23T15:00:00.000Z',
      expiresAt: null,
      ...overrides,
    };
    await updateTokenFile(this.file, (tokens) => [...tokens, stored]);
    return { text, stored };
  }

  async revoke(id: string): Promise<void> {
    await updateTokenFile(this.file, (tokens) => tokens.filter((token) => token.id !== id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }
}
