import { didYouMean } from '../shared/index.js';
import { collectSecrets, SecretRedactor } from '../shared/sanitize/index.js';
import type { CommandContext } from './command-context.js';
import { HELP, USAGE, UsageError } from './help.js';
import { readVersion } from './version.js';

type Command = (args: readonly string[], context: CommandContext) => Promise<number>;

/** Commands by name. Each is loaded only when it runs, so that a simulator does not load the server. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./commands/serve.js')).serve,
  init: async () => (await import('./commands/init.js')).init,
  check: async () => (await import('./commands/check.js')).check,
  watch: async () => (await import('./commands/watch.js')).watch,
  discover: async () => (await import('./commands/discover.js')).discover,
  token: async () => (await import('./commands/token.js')).token,
  tap: async () => (await import('./commands/tap.js')).tap,
  observe: async () => (await import('./commands/observe.js')).observe,
  hooks: async () => (await import('./commands/hooks.js')).hooks,
  simulate: async () => (await import('./commands/simulate.js')).simulate,
};

/** Runs a command line and returns the exit code. */
export async function runCommand(args: readonly string[], context: CommandContext): Promise<number> {
  const [name = '--help', ...rest] = args;
  if (name === '--version') {
    context.stdout.write(`${await readVersion()}\n`);
    return 0;
  }
  const wantsHelp = name === '--help' || name === '-h' || name === 'help';
  try {
    const command = wantsHelp ? null : findCommand(name);
    const topic = command !== null ? name : name === 'help' ? rest[0] : undefined;
    if (topic !== undefined) findCommand(topic);
    const flags = rest.slice(0, rest.includes('--') ? rest.indexOf('--') : rest.length);
    if (command === null || flags.includes('--help') || flags.includes('-h')) {
      context.stdout.write((topic === undefined ? null : HELP[topic]) ?? USAGE);
      return 0;
    }
    const run = await command();
    return await run(rest, context);
  } catch (error) {
    // Loaded on demand, because `tap` does not need it and an MCP client waits for its start.
    const { ConfigError } = await import('../config/index.js');
    if (error instanceof ConfigError) {
      for (const problem of error.problems) context.stderr.write(`${problem}\n`);
      return 2;
    }
    if (!(error instanceof UsageError)) throw error;
    const command = Object.hasOwn(HELP, name) ? `${name} ` : '';
    const message = new SecretRedactor(collectSecrets({ args })).redact(error.message);
    context.stderr.write(`${message}\nTry: swarmlens ${command}--help\n`);
    return 2;
  }
}

/**
 * Finds a command by name.
 * @throws UsageError if the command is unknown
 */
function findCommand(name: string): () => Promise<Command> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command !== undefined) return command;
  throw new UsageError(`unknown command "${name}"${didYouMean(name, Object.keys(COMMANDS))}`);
}
