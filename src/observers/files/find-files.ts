import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { hasErrorCode } from '../../shared/index.js';
import type { InputProblems } from './input-problems.js';
import { childrenFor, literalNames, type PatternNode } from './path-pattern.js';

/** File that matches a pattern. */
export interface FoundFile {
  /** Path relative to the root, with slashes. */
  readonly path: string;
  readonly stats: FileStats;
}

/** Properties of a file by which a change is noticed. */
export interface FileStats {
  readonly inode: number;
  readonly size: number;
  readonly modifiedAtMs: number;
  readonly createdAtMs: number;
}

export interface FoundFiles {
  readonly files: readonly FoundFile[];
  /** Directories on the way to the files, relative to the root. */
  readonly directories: readonly string[];
}

/** Maximum number of files of all patterns together. */
const MAX_FILES = 50_000;

/**
 * Finds the files below a directory that match the patterns. Follows symbolic links within the directory. The depth of the
 * patterns limits the search, and each directory is read once.
 */
export async function findFiles(root: string, patterns: PatternNode, problems: InputProblems): Promise<FoundFiles> {
  const search = new FileSearch(await realpath(root), problems);
  await search.visit('', search.root, [patterns]);
  return search;
}

class FileSearch implements FoundFiles {
  readonly root: string;
  readonly files: FoundFile[] = [];
  readonly directories: string[] = [];
  readonly #problems: InputProblems;
  /** Real paths of the directories and of the files behind links that were visited. */
  readonly #visited = new Set<string>();

  constructor(root: string, problems: InputProblems) {
    this.root = root;
    this.#problems = problems;
  }

  /**
   * @param path path relative to the root
   * @param location real path
   */
  async visit(path: string, location: string, nodes: readonly PatternNode[]): Promise<void> {
    if (this.#visited.has(location)) {
      this.#problems.record('unfollowed-link', path);
      return;
    }
    this.#visited.add(location);
    const names = await this.#namesIn(path, location, nodes);
    if (names === null) return;
    this.directories.push(path);
    for (const name of names) {
      const matching = childrenFor(nodes, name);
      if (matching.length > 0)
        await this.#visitEntry(path === '' ? name : `${path}/${name}`, join(location, name), matching);
    }
  }

  /** Returns the names in a directory. Null if it cannot be read, or has vanished. */
  async #namesIn(path: string, location: string, nodes: readonly PatternNode[]): Promise<readonly string[] | null> {
    const names = literalNames(nodes);
    if (names !== null) return names;
    try {
      const entries: Dirent[] = await readdir(location, { withFileTypes: true });
      return entries.map(({ name }) => name);
    } catch (error) {
      if (!isMissing(error)) this.#problems.record('unreadable-directory', path);
      return null;
    }
  }

  async #visitEntry(path: string, location: string, nodes: readonly PatternNode[]): Promise<void> {
    try {
      const stats = await lstat(location);
      if (stats.isSymbolicLink()) await this.#visitLink(path, location, nodes);
      else await this.#visitTarget(path, location, stats, nodes);
    } catch (error) {
      if (!isMissing(error)) this.#problems.record('unreadable-file', path);
    }
  }

  async #visitLink(path: string, location: string, nodes: readonly PatternNode[]): Promise<void> {
    let target: string;
    try {
      target = await realpath(location);
    } catch {
      // The target is missing, or the link leads to itself.
      this.#problems.record('unfollowed-link', path);
      return;
    }
    if (!target.startsWith(`${this.root}${sep}`) || this.#visited.has(target)) {
      this.#problems.record('unfollowed-link', path);
      return;
    }
    await this.#visitTarget(path, target, await stat(target), nodes);
  }

  async #visitTarget(path: string, location: string, stats: Stats, nodes: readonly PatternNode[]): Promise<void> {
    if (stats.isDirectory()) {
      const isOnTheWay = nodes.some(({ children }) => children.size > 0);
      if (isOnTheWay) await this.visit(path, location, nodes);
      return;
    }
    if (!stats.isFile() || !nodes.some(({ isFile }) => isFile)) return;
    if (isForeign(stats)) this.#problems.record('foreign-file', path);
    else if (this.files.length >= MAX_FILES) this.#problems.record('too-many-files', path);
    else this.files.push({ path, stats: toFileStats(stats) });
  }
}

/** Returns whether a file belongs to another user. Windows does not report owners. */
export function isForeign({ uid }: Pick<Stats, 'uid'>): boolean {
  const ownId = process.platform === 'win32' ? undefined : process.geteuid?.();
  return ownId !== undefined && uid !== ownId;
}

export function toFileStats({ ino, size, mtimeMs, birthtimeMs }: Stats): FileStats {
  return { inode: ino, size, modifiedAtMs: mtimeMs, createdAtMs: birthtimeMs };
}

/** Returns whether an error says that a file or directory does not exist. */
export function isMissing(error: unknown): boolean {
  return hasErrorCode(error, 'ENOENT') || hasErrorCode(error, 'ENOTDIR');
}
