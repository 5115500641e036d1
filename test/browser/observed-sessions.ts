import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROGRAM } from '../support/app.js';
import { TemporaryDirectory } from '../support/temporary-directory.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/observers', import.meta.url));
/** Folders of the fixtures that belong to the directory of the coding agent. */
const CLAUDE_FOLDERS = ['projects', 'teams', 'tasks'];
const CODEX_FOLDERS = ['sessions'];
/** Age of the last records in milliseconds. Below the time after which a silent session counts as ended. */
const AGE_MS = 600_000;
/** Times in the fixtures. */
const TIME = /2026-09-20T[\d:.]+Z/g;

/** Session that waits for a permission. */
export const WAITING_SESSION = '7ebc05d5-407d-4267-a74b-9e87aca20086';
/** Session with subagents. */
export const TREE_SESSION = '7979c946-6f50-4a0b-a07e-ce9cc7e5f379';
/** Directory of all sessions in the fixtures. */
const FIXTURE_PROJECT = '/home/dev/shop';
/** Team with tasks. */
const TEAM = 'session-990c349e';
/** Running processes that the register of live sessions names. */
const PIDS: Readonly<Record<string, number>> = { [WAITING_SESSION]: process.pid, [TREE_SESSION]: process.ppid };

/** Directories of coding agents with the sessions of the fixtures, as if they had happened just now. */
export class ObservedSessions implements AsyncDisposable {
  readonly #directory: TemporaryDirectory;

  private constructor(directory: TemporaryDirectory) {
    this.#directory = directory;
  }

  static async create(): Promise<ObservedSessions> {
    const sessions = new ObservedSessions(await TemporaryDirectory.create());
    await mkdir(sessions.project);
    for (const scenario of ['two-subagents', 'team', 'api-error']) {
      await sessions.#copy(`claude-code/${scenario}`, CLAUDE_FOLDERS, sessions.#claude);
    }
    await sessions.#copy('claude-code/permission-wait', CLAUDE_FOLDERS, sessions.#claude, sessions.project);
    for (const scenario of ['approval-wait', 'child-thread']) {
      await sessions.#copy(`codex/${scenario}/codex`, CODEX_FOLDERS, sessions.#codex);
    }
    await sessions.setStatus(WAITING_SESSION, 'waiting', 300_000);
    await sessions.setStatus(TREE_SESSION, 'busy', 60_000);
    return sessions;
  }

  get path(): string {
    return this.#directory.path('.');
  }

  /** Directory in which only the session that waits works. */
  get project(): string {
    return join(this.#directory.path('.'), 'release');
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
      ...{
        cwd: sessionId === WAITING_SESSION ? this.project : FIXTURE_PROJECT,
        startedAt: since,
        updatedAt: Date.now(),
        status,
        statusUpdatedAt: since,
      },
      ...(status === 'waiting' && { waitingFor: 'permission prompt' }),
    };
    await mkdir(join(this.#claude, 'sessions'), { recursive: true });
    await writeFile(join(this.#claude, 'sessions', `${pid}.json`), JSON.stringify(entry));
  }

  /** Adds a task of the team to the files of Claude Code. */
  async addTask(id: string, subject: string): Promise<void> {
    const task = { id, subject, description: '', status: 'pending', owner: null, blocks: [], blockedBy: [] };
    await writeFile(join(this.#claude, 'tasks', TEAM, `${id}.json`), JSON.stringify(task));
  }

  get #claude(): string {
    return this.#directory.path('claude');
  }

  get #codex(): string {
    return this.#directory.path('codex');
  }

  /** Copies a scenario to a project. Shifts its times so that the last one is shortly before now. */
  async #copy(scenario: string, folders: readonly string[], target: string, project = FIXTURE_PROJECT): Promise<void> {
    const source = join(FIXTURES, scenario);
    const entries = await readdir(source, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    const files = await Promise.all(
      paths
        .map((path) => relative(source, path))
        .filter((path) => folders.includes(path.split(sep)[0] ?? ''))
        .map(async (path) => ({ path, text: await readFile(join(source, path), 'utf8') })),
    );
    const times = files.flatMap(({ text }) => text.match(TIME) ?? []).map((at) => Date.parse(at));
    const shiftMs = Date.now() - AGE_MS - Math.max(...times);
    for (const { path, text } of files) {
      await mkdir(dirname(join(target, path)), { recursive: true });
      const shifted = text.replaceAll(TIME, (at) => new Date(Date.parse(at) + shiftMs).toISOString());
      await writeFile(join(target, path), shifted.replaceAll(FIXTURE_PROJECT, project));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]();
  }
}
