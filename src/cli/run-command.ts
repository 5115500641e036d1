import { readFile } from 'node:fs/promises';
import { didYouMean } from '../shared/index.js';
import type { CommandContext } from './command-context.js';
import { HELP, USAGE, UsageError } from './help.js';

type Command = (args: readonly string[], terminal: CommandContext) => Promise<number>;

/** Each is loaded when it is run: a simulator has no use for the server, nor the other way round. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./commands/serve.js')).serve,
  check: async () => (await import('./commands/check.js')).check,
  watch: async () => (await import('./commands/watch.js')).watch,
  discover: async () => (await import('./commands/discover.js')).discover,
  token: async () => (await import('./commands/token.js')).token,
  tap: async () => (await import('./commands/tap.js')).tap,
  simulate: async () => (await import('./commands/simulate.js')).simulate,
};

/** @returns the exit code */
export async function runCommand(args: readonly string[], terminal: CommandContext): Promise<number> {
  const [name = '--help', ...rest] = args;
  if (name === '--version') {
    terminal.stdout.write(`${await version()}\n`);
    return 0;
  }
  const wantsHelp = name === '--help' || name === '-h' || name === 'help';
  try {
    const command = wantsHelp ? null : commandNamed(name);
    const about = command !== null ? name : name === 'help' ? rest[0] : undefined;
    if (about !== undefined) commandNamed(about);
    const own = rest.slice(0, rest.includes('--') ? rest.indexOf('--') : rest.length);
    if (command === null || own.includes('--help') || own.includes('-h')) {
      terminal.stdout.write((about === undefined ? null : HELP[about]) ?? USAGE);
      return 0;
    }
    const start = await command();
    return await start(rest, terminal);
  } catch (error) {
    // Loaded when it is needed: `tap` has no use for it, and a person waits behind it.
    const { ConfigError } = await import('../config/index.js');
    if (error instanceof ConfigError) {
      for (const problem of error.problems) terminal.stderr.write(`${problem}\n`);
      return 2;
    }
    if (!(error instanceof UsageError)) throw error;
    const about = Object.hasOwn(HELP, name) ? `${name} ` : '';
    terminal.stderr.write(`${error.message}\nTry: swarmlens ${about}--help\n`);
    return 2;
  }
}

/** @throws UsageError when there is none */
function commandNamed(name: string): () => Promise<Command> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command !== undefined) return command;
  throw new UsageError(`there is no command "${name}"${didYouMean(name, Object.keys(COMMANDS))}`);
}

async function version(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  return typeof parsed === 'object' && parsed !== null && 'version' in parsed ? String(parsed.version) : 'unknown';
}
