import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { ended, isAlive } from '../mcp/support.js';
import { TemporaryDirectory } from './temporary-directory.js';
import { waitUntil } from './wait.js';

const run = promisify(execFile);

/** Whether terminals can be opened. In CI, a missing tmux is a failure. */
export const HAS_TMUX = isOnPath('tmux') || process.env['CI'] === 'true';
/** Part of a title that says why its tests are skipped. */
export const TMUX_REASON = HAS_TMUX ? '' : ' (skipped: tmux is not installed)';

export interface TmuxOptions {
  readonly columns: number;
  readonly rows: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Shell in a terminal of tmux, with a tmux server of its own. */
export class Tmux implements AsyncDisposable {
  readonly #directory: TemporaryDirectory;

  private constructor(directory: TemporaryDirectory) {
    this.#directory = directory;
  }

  static async open({ columns, rows, env = {} }: TmuxOptions): Promise<Tmux> {
    const tmux = new Tmux(await TemporaryDirectory.create());
    const variables = Object.entries({ PS1: '$ ', ...env }).map(([name, value]) => `${name}='${value}'`);
    const size = ['-x', `${columns}`, '-y', `${rows}`];
    // Not `-e` of tmux, because the shell between tmux and bash drops PS1, and tmux sets TERM.
    await tmux.#run('new-session', '-d', ...size, ['exec env', ...variables, 'bash --norc --noprofile'].join(' '));
    // The server must not end with the program.
    await tmux.#run('set-option', '-g', 'remain-on-exit', 'on');
    return tmux;
  }

  /** Presses keys by their names in tmux, or types a text. */
  async send(...keys: string[]): Promise<void> {
    await this.#run('send-keys', ...keys);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#run('resize-window', '-x', `${columns}`, '-y', `${rows}`);
  }

  /** Returns the lines of the screen. */
  async capture(): Promise<string[]> {
    return (await this.#run('capture-pane', '-p')).split('\n').slice(0, -1);
  }

  /** Returns the screen with its escape sequences for styles. */
  async captureStyles(): Promise<string> {
    return this.#run('capture-pane', '-p', '-e');
  }

  /** Whether a program shows the alternate screen. */
  async isAlternate(): Promise<boolean> {
    return (await this.#run('display-message', '-p', '#{alternate_on}')).trim() === '1';
  }

  /** Resolves with the lines of the screen when it matches. */
  async shows(pattern: RegExp): Promise<string[]> {
    let lines: string[] = [];
    await waitUntil(
      async () => {
        lines = await this.capture();
        return pattern.test(lines.join('\n'));
      },
      { state: () => ({ pattern, screen: lines }), intervalMs: 50 },
    );
    return lines;
  }

  async #run(...args: string[]): Promise<string> {
    const socket = this.#directory.path('tmux.sock');
    const { stdout } = await run('tmux', ['-u', '-S', socket, '-f', '/dev/null', ...args]);
    return stdout;
  }

  /** Ends the terminal and the program that replaced its shell, if any. */
  async [Symbol.asyncDispose](): Promise<void> {
    const pid = Number(await this.#run('display-message', '-p', '#{pane_pid}'));
    await this.#run('kill-server');
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    await ended(pid);
    await this.#directory[Symbol.asyncDispose]();
  }
}

function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}
