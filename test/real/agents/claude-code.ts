import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHooks } from '../../../src/hooks/index.js';
import { Tmux } from '../../support/tmux.js';
import { AnthropicModel } from './anthropic-model.js';
import type { Script } from './scripted-model.js';
import { AgentProcess, Workplace } from './workplace.js';

const API_KEY = 'no-key-of-anybody';
const COLUMNS = 120;
const ROWS = 40;

/** Returns the path of a release in `test/real/servers`. Its package needs no install script, which would only copy the binary. */
export function claudeCommand(folder: string): string {
  const packageName = `@anthropic-ai/claude-code-${process.platform}-${process.arch}`;
  return fileURLToPath(new URL(`../servers/${folder}/node_modules/${packageName}/claude`, import.meta.url));
}

/** Claude Code with a model that answers by a script. */
export class ClaudeCode implements AsyncDisposable {
  readonly place: Workplace;
  readonly model: AnthropicModel;
  readonly #command: string;

  private constructor(place: Workplace, model: AnthropicModel, command: string) {
    this.place = place;
    this.model = model;
    this.#command = command;
  }

  /** @param createScript receives the workplace, whose gates the script may use */
  static async prepare(folder: string, createScript: (place: Workplace) => Script): Promise<ClaudeCode> {
    const place = await Workplace.create();
    const model = await new AnthropicModel(createScript(place)).listen();
    const { project } = place;
    // Answers to the questions of the first start.
    const state = {
      hasCompletedOnboarding: true,
      theme: 'dark',
      customApiKeyResponses: { approved: [API_KEY.slice(-20)], rejected: [] },
      projects: { [project]: { hasTrustDialogAccepted: true, allowedTools: [] } },
    };
    await writeFile(join(place.root, '.claude.json'), JSON.stringify(state));
    return new ClaudeCode(place, model, claudeCommand(folder));
  }

  get env(): Record<string, string> {
    return {
      ...this.place.env,
      CLAUDE_CONFIG_DIR: this.place.root,
      ANTHROPIC_BASE_URL: this.model.url,
      ANTHROPIC_API_KEY: API_KEY,
      DISABLE_TELEMETRY: '1',
      DISABLE_ERROR_REPORTING: '1',
      DISABLE_AUTOUPDATER: '1',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    };
  }

  /** Runs one prompt without a terminal. */
  print(prompt: string, tools: readonly string[], args: readonly string[] = []): AgentProcess {
    const options = ['--output-format', 'stream-json', '--verbose', '--allowedTools', tools.join(), ...args];
    return new AgentProcess(this.#command, ['-p', prompt, ...options], this.place.project, this.env);
  }

  /** Starts an interactive session in a terminal. */
  async interact(args: readonly string[] = []): Promise<Tmux> {
    const env = { ...this.env, TERM: 'xterm-256color' };
    const terminal = await Tmux.open({ columns: COLUMNS, rows: ROWS, env });
    await terminal.send(
      `cd ${this.place.project} && exec ${[this.#command, '--permission-mode', 'default', ...args].join(' ')}`,
      'Enter',
    );
    await terminal.shows(/for shortcuts/);
    return terminal;
  }

  /** Writes settings with the hooks of `swarmlens hooks print` for a port. Returns their path. */
  async writeHookSettings(port: number): Promise<string> {
    const path = this.place.directory.path('settings.json');
    await writeFile(path, JSON.stringify({ hooks: createHooks('claude-code', { port, sendsToken: false }) }));
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.model[Symbol.asyncDispose]();
    await this.place[Symbol.asyncDispose]();
  }
}

/** Types a prompt into an interactive session and submits it. */
export async function prompt(terminal: Tmux, text: string): Promise<void> {
  await terminal.send('-l', text);
  await terminal.shows(new RegExp(text));
  await terminal.send('Enter');
}
