import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROGRAM } from '../support/app.js';
import { TemporaryDirectory } from '../support/temporary-directory.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/observers', import.meta.url));
/** Parts of the fixtures that belong to the directory of the coding agent. */
const PARTS = ['projects', 'sessions', 'teams', 'tasks'];
/** Time of the last records in the fixtures. */
const RECORDED_MS = Date.parse('2026-09-20T10:00:15.000Z');

/** Session that waits for a permission. */
export const WAITING_SESSION = '7ebc05d5-407d-4267-a74b-9e87aca20086';
/** Session with subagents. */
export const TREE_SESSION = '7979c946-6f50-4a0b-a07e-ce9cc7e5f379';
/** Running processes that the register of live sessions names. */
const PIDS: Readonly<Record<string, number>> = { [WAITING_SESSION]: process.pid, [TREE_SESSION]: process.ppid };

/** Directories of coding agents with the sessions of the fixtures, as if they had happened just now. */
export class ObservedSessions implements AsyncDisposable {
  readonly #directory: TemporaryDirectory;
  /** Time by which the records are newer than those of the fixtures, in milliseconds. */
  readonly #shiftMs = Date.now() - RECORDED_MS - 60_000;

  private constructor(directory: TemporaryDirectory) {
    this.#directory = directory;
  }

  static async create(): Promise<ObservedSessions> {
    const sessions = new ObservedSessions(await TemporaryDirectory.create());
    for (const scenario of ['two-subagents', 'permission-wait', 'team', 'api-error']) {
      await sessions.#copy(`claude-code/${scenario}`, sessions.#claude);
    }
    for (const scenario of ['approval-wait', 'child-thread']) {
      await sessions.#copy(`codex/${scenario}/codex`, sessions.#codex);
    }
    await sessions.setStatus(WAITING_SESSION, 'waiting', 300_000);
    await sessions.setStatus(TREE_SESSION, 'busy', 60_000);
    return sessions;
  }

  get path(): string {
    return this.#directory.path('.');
  }

  /** Servers of a configuration file that observe the sessions. */
  get servers(): Readonly<Record<string, object>> {
    const observe = (name: string, root: string): object => ({
      command: process.execPath,
      args: [PROGRAM, 'observe', name, '--root', root, '--since', '10000d', '--show-text', 'titles'],
      env: { XDG_STATE_HOME: this.#directory.path('state') },
    });
    return { claude: observe('claude-code', this.#claude), codex: observe('codex', this.#codex) };
  }

  /** Sets the status of a live session in the register of Claude Code. */
  async setStatus(sessionId: keyof typeof PIDS, status: 'busy' | 'idle' | 'waiting', ageMs = 0): Promise<void> {
    const since = Date.now() - ageMs;
    const pid = PIDS[sessionId] ?? process.pid;
    const entry = {
      pid,
      sessionId,
      ...{ cwd: '/home/dev/shop', startedAt: since, updatedAt: Date.now(), status, statusUpdatedAt: since },
      ...(status === 'waiting' && { waitingFor: 'permission prompt' }),
    };
    await mkdir(join(this.#claude, 'sessions'), { recursive: true });
    await writeFile(join(this.#claude, 'sessions', `${pid}.json`), JSON.stringify(entry));
  }

  get #claude(): string {
    return this.#directory.path('claude');
  }

  get #codex(): string {
    return this.#directory.path('codex');
  }

  async #copy(scenario: string, target: string): Promise<void> {
    const source = join(FIXTURES, scenario);
    const parts = (await readdir(source)).filter((name) => PARTS.includes(name));
    for (const part of parts) await cp(join(source, part), join(target, part), { recursive: true });
    for (const part of parts) await this.#shiftTimes(join(target, part));
  }

  async #shiftTimes(folder: string): Promise<void> {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const text = await readFile(path, 'utf8');
      await writeFile(
        path,
        text.replaceAll(/2026-09-20T[\d:.]+Z/g, (at) => new Date(Date.parse(at) + this.#shiftMs).toISOString()),
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]();
  }
}
