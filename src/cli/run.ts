import { readFile } from 'node:fs/promises';
import { ConfigError, hint } from '../config/index.js';
import type { Terminal } from './terminal.js';
import { USAGE, UsageError } from './usage.js';

type Command = (args: readonly string[], terminal: Terminal) => Promise<number>;

/** Each is loaded when it is run: a simulator has no use for the server, nor the other way round. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./serve.js')).serve,
  check: async () => (await import('./check.js')).check,
  simulate: async () => (await import('./simulate.js')).simulate,
};

/** @returns the exit code */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name = '--help', ...rest] = args;
  if (name === '--version') {
    terminal.stdout.write(`${await version()}\n`);
    return 0;
  }
  if (name === '--help' || name === '-h' || name === 'help' || rest.includes('--help')) {
    terminal.stdout.write(USAGE);
    return 0;
  }
  try {
    const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (load === undefined) throw new UsageError(`there is no command "${name}"${hint(name, Object.keys(COMMANDS))}`);
    return await (
      await load()
    )(rest, terminal);
  } catch (error) {
    if (error instanceof ConfigError) {
      for (const problem of error.problems) terminal.stderr.write(`${problem}\n`);
      return 2;
    }
    if (!(error instanceof UsageError)) throw error;
    terminal.stderr.write(`${error.message}\nTry: swarmlens --help\n`);
    return 2;
  }
}

async function version(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  return typeof parsed === 'object' && parsed !== null && 'version' in parsed ? String(parsed.version) : 'unknown';
}
