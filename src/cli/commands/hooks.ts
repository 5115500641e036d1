import { resolve } from 'node:path';
import { createTwoFilesPatch } from 'diff';
import {
  createHooks,
  DEFAULT_HOOKS_PORT,
  planInstallation,
  planRemoval,
  type SettingsChange,
  SettingsFileError,
} from '../../hooks/index.js';
import { codingAgentDirectory, OBSERVED_SOURCES, type ObservedSource } from '../../observer-format/index.js';
import { didYouMean } from '../../shared/index.js';
import { collectSecrets, SecretRedactor } from '../../shared/sanitize/index.js';
import { parseFlags, parseWholeNumber } from '../arguments.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../help.js';
import { confirm } from '../terminal/confirm.js';

const ACTIONS = ['print', 'install', 'uninstall'] as const;
type Action = (typeof ACTIONS)[number];

const SETTINGS_NAME = 'settings.json';
const PROJECT_DIRECTORY = '.claude';

/** Prints, installs and uninstalls the hooks that send events of coding agents to the observers. */
export async function hooks(args: readonly string[], context: CommandContext): Promise<number> {
  const [first, second, ...rest] = args;
  const action = parseAction(first);
  const source = parseProgram(action, second);
  const flags = parseFlags(`hooks ${action}`, rest, {
    user: { type: 'boolean' },
    project: { type: 'boolean' },
    ...(action === 'uninstall' ? {} : { port: { type: 'string' }, token: { type: 'boolean' } }),
    ...(action === 'print' ? {} : { yes: { type: 'boolean' } }),
  });
  if (flags.user === true && flags.project === true) {
    throw new UsageError(`swarmlens hooks ${action}: --user and --project exclude each other`);
  }
  const { cwd, env, stdout, stderr } = context;
  const portText = typeof flags.port === 'string' ? flags.port : undefined;
  const port = parseWholeNumber(`hooks ${action}`, 'port', portText, DEFAULT_HOOKS_PORT, 65_535, 1);
  const wanted = createHooks(source, { port, sendsToken: flags.token === true });
  if (action === 'print') {
    stdout.write(`${JSON.stringify({ hooks: wanted }, null, 2)}\n`);
    return 0;
  }
  const root = flags.project === true ? PROJECT_DIRECTORY : codingAgentDirectory(source, env);
  const path = resolve(cwd, root, SETTINGS_NAME);
  try {
    const change = await (action === 'install' ? planInstallation(path, wanted, env) : planRemoval(path, env));
    if (change === null) {
      const reason = action === 'install' ? 'has the hooks already' : 'has no hooks of swarmlens';
      stdout.write(`${path} ${reason}. Nothing was changed.\n`);
      return 0;
    }
    return await confirmAndApply(action, change, flags.yes === true, context);
  } catch (error) {
    if (!(error instanceof SettingsFileError)) throw error;
    stderr.write(`${error.message}\n`);
    return 1;
  }
}

async function confirmAndApply(
  action: Exclude<Action, 'print'>,
  change: SettingsChange,
  isConfirmed: boolean,
  context: CommandContext,
): Promise<number> {
  const { stdin, stdout } = context;
  stdout.write(formatDifference(change));
  if (!isConfirmed) {
    if (stdin.isTTY !== true || stdout.isTTY !== true) {
      throw new UsageError(
        `swarmlens hooks ${action}: nothing was changed, because there is no terminal to ask – pass --yes to change ${change.path}`,
      );
    }
    const question = `${change.deletesFile ? 'Delete' : 'Change'} ${change.path}?`;
    if (!(await confirm(question, context))) {
      stdout.write('Nothing was changed.\n');
      return 0;
    }
  }
  await change.apply();
  const done = change.deletesFile ? 'Deleted' : 'Changed';
  const note =
    action === 'install'
      ? ' Running sessions use the hooks at once. Observers receive the events without a restart.'
      : '';
  stdout.write(`${done} ${change.path}.${note}\n`);
  return 0;
}

/** Formats the difference that a change makes, without the secrets of the settings around it. */
function formatDifference({ path, before, after }: SettingsChange): string {
  const patch = createTwoFilesPatch(path, path, before, after);
  const secrets = before === '' ? [] : collectSecrets(JSON.parse(before));
  return new SecretRedactor(secrets).redact(patch);
}

function parseAction(name: string | undefined): Action {
  const action = ACTIONS.find((candidate) => candidate === name);
  if (action !== undefined) return action;
  const reason = name === undefined || name.startsWith('-') ? 'the action is missing' : `unknown action "${name}"`;
  throw new UsageError(
    `swarmlens hooks: ${reason}${didYouMean(name ?? '', [...ACTIONS])}, expected print, install or uninstall`,
  );
}

function parseProgram(action: Action, name: string | undefined): ObservedSource {
  const source = OBSERVED_SOURCES.find((candidate) => candidate === name);
  if (source === 'codex' && action !== 'print') {
    throw new UsageError(
      `swarmlens hooks ${action}: Codex runs only hooks that you have trusted in /hooks – add the output of ` +
        '`swarmlens hooks print codex` to hooks.json in ~/.codex by hand',
    );
  }
  if (source !== undefined) return source;
  const reason = name === undefined || name.startsWith('-') ? 'the program is missing' : `unknown program "${name}"`;
  const expected = action === 'print' ? 'claude-code or codex' : 'claude-code';
  throw new UsageError(
    `swarmlens hooks ${action}: ${reason}${didYouMean(name ?? '', [...OBSERVED_SOURCES])}, expected ${expected}`,
  );
}
