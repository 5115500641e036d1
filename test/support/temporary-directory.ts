import { lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Directory that is deleted with its content at the end of a test. */
export class TemporaryDirectory implements AsyncDisposable {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  static async create(): Promise<TemporaryDirectory> {
    return new TemporaryDirectory(await mkdtemp(join(tmpdir(), 'swarmlens-test-')));
  }

  /** Returns the path of a file in the directory. */
  path(name: string): string {
    return join(this.root, name);
  }

  /** Writes a file, and creates the directories on its way. Returns its path. */
  async write(name: string, content: string): Promise<string> {
    const path = this.path(name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}

/** Returns identity, modification time, mode and content of every file and directory below a directory, by path. */
export async function directoryFingerprint(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true });
  const lines = await Promise.all(
    ['.', ...entries].map(async (entry) => {
      const path = join(root, entry);
      const stats = await lstat(path, { bigint: true });
      const content = stats.isFile() ? await readFile(path, 'utf8') : '';
      return [entry, [stats.ino, stats.mtimeNs, stats.mode, content].join(' ')] as const;
    }),
  );
  return Object.fromEntries(lines);
}
