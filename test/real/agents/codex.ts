import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Tmux } from '../../support/tmux.js';
import { OpenAiModel } from './openai-model.js';
import type { Script } from './scripted-model.js';
import { AgentProcess, Workplace } from './workplace.js';

const COLUMNS = 120;
const ROWS = 40;

/** Returns the path of the binary in the package of this platform. */
function codexCommand(): string {
  const packageName = `@openai/codex-${process.platform}-${process.arch}`;
  const vendor = fileURLToPath(new URL(`../servers/codex/node_modules/${packageName}/vendor`, import.meta.url));
  const [target] = readdirSync(vendor);
  if (target === undefined) throw new Error(`${vendor} is empty. Run npm run test:real -- codex, which installs it.`);
  return join(vendor, target, 'bin/codex');
}

/** Codex with a model that answers by a script. */
export class Codex implements AsyncDisposable {
  readonly place: Workplace;
  readonly model: OpenAiModel;

  private constructor(place: Workplace, model: OpenAiModel) {
    this.place = place;
    this.model = model;
  }

  /** @param createScript receives the workplace, whose gates the script may use */
  static async prepare(createScript: (place: Workplace) => Script): Promise<Codex> {
    const place = await Workplace.create();
    const model = await new OpenAiModel(createScript(place)).listen();
    const config = `
model = "scripted-model"
model_provider = "scripted"
check_for_update_on_startup = false
approval_policy = "on-request"
sandbox_mode = "danger-full-access"
[model_providers.scripted]
name = "scripted"
base_url = "${model.url}/v1"
wire_api = "responses"
env_key = "SCRIPTED_KEY"
[analytics]
enabled = false
[features]
# Its processes would outlive the session.
daemon_auto_start = false
[projects."${place.project}"]
trust_level = "trusted"
`;
    await writeFile(join(place.root, 'config.toml'), config);
    return new Codex(place, model);
  }

  get env(): Record<string, string> {
    return { ...this.place.env, CODEX_HOME: this.place.root, SCRIPTED_KEY: 'no-key-of-anybody' };
  }

  /** Runs one prompt without a terminal. */
  exec(prompt: string): AgentProcess {
    return new AgentProcess(
      codexCommand(),
      ['exec', '--skip-git-repo-check', '--json', prompt],
      this.place.project,
      this.env,
    );
  }

  /** Starts an interactive session in a terminal. */
  async interact(args: readonly string[] = []): Promise<Tmux> {
    const env = { ...this.env, TERM: 'xterm-256color' };
    const terminal = await Tmux.open({ columns: COLUMNS, rows: ROWS, env });
    await terminal.send(`cd ${this.place.project} && exec ${[codexCommand(), ...args].join(' ')}`, 'Enter');
    return terminal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.model[Symbol.asyncDispose]();
    await this.place[Symbol.asyncDispose]();
  }
}
