import { createHash, type Hash } from 'node:crypto';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** File of a scripted session. Keeps a hash of everything that was written to it. */
export class WrittenFile {
  /** Path relative to the observed directory. */
  readonly path: string;
  readonly #location: string;
  #hash: Hash = createHash('sha256');
  #hasDirectory = false;

  constructor(root: string, path: string) {
    this.path = path;
    this.#location = join(root, path);
  }

  /** @param split position in characters at which the text is divided into two writes; 0 for one write */
  async append(text: string, split = 0): Promise<void> {
    await this.#createDirectory();
    this.#hash.update(text);
    if (split > 0) await appendFile(this.#location, text.slice(0, split));
    await appendFile(this.#location, text.slice(split));
  }

  async replace(text: string): Promise<void> {
    await this.#createDirectory();
    this.#hash = createHash('sha256').update(text);
    await writeFile(this.#location, text);
  }

  /** Returns whether the file contains exactly what was written. */
  async isUnchanged(): Promise<boolean> {
    const content = await readFile(this.#location).catch(() => null);
    return content !== null && createHash('sha256').update(content).digest('hex') === this.#hash.copy().digest('hex');
  }

  async #createDirectory(): Promise<void> {
    if (this.#hasDirectory) return;
    await mkdir(dirname(this.#location), { recursive: true });
    this.#hasDirectory = true;
  }
}
