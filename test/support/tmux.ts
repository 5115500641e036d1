import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { TemporaryDirectory } from './temporary-directory.js';
import { waitUntil } from './wait.js';

const run = promisify(execFile);

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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run('kill-server');
    await this.#directory[Symbol.asyncDispose]();
  }
}
