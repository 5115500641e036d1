import { existsSync, statSync } from 'node:fs';
import { basename, delimiter, dirname, extname, isAbsolute, join, resolve } from 'node:path';
import { getDefaultEnvironment } from '@modelcontextprotocol/client/stdio';
import type { StdioEndpoint } from '../../endpoint.js';

/** The same endpoint, started in `directory` instead of its own: the same program, with the same files as arguments. */
export function relocateEndpoint(endpoint: StdioEndpoint, directory: string): StdioEndpoint {
  const { command, args, cwd, env } = endpoint;
  const moved = {
    ...endpoint,
    // A command without a separator is looked up on the PATH, wherever it is started.
    command: /[\\/]/.test(command) ? fromThere(command, cwd) : command,
    args: args.map((arg) => argumentFromThere(arg, cwd)),
    cwd: directory,
  };
  return /^npx(?:\.cmd|\.exe)?$/i.test(basename(command)) ? withProject(moved, cwd, env) : moved;
}

/**
 * `npx` prefers what is installed in the project around its working directory. `--prefix` tells it of another project;
 * with the project's programs on the PATH that holds for `name@version`, `-p` and `-c` too, as in the project itself.
 */
function withProject(moved: StdioEndpoint, cwd: string, env: StdioEndpoint['env']): StdioEndpoint {
  const above = ancestors(cwd);
  const project = above.find(
    (path) => existsSync(join(path, 'package.json')) || existsSync(join(path, 'node_modules')),
  );
  if (project === undefined) return moved;
  const programs = above.map((path) => join(path, 'node_modules', '.bin')).filter((path) => existsSync(path));
  const path = env['PATH'] ?? getDefaultEnvironment()['PATH'] ?? '';
  return {
    ...moved,
    args: ['--prefix', project, ...moved.args],
    env: { ...env, PATH: [...programs, ...path.split(delimiter)].filter((part) => part !== '').join(delimiter) },
  };
}

function ancestors(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [path, ...ancestors(parent)];
}

/** `file`, or `--option=file`. */
function argumentFromThere(arg: string, cwd: string): string {
  const option = /^(--?[^=]+=)(.+)$/s.exec(arg);
  if (option === null) return arg.startsWith('-') ? arg : fromThere(arg, cwd);
  return `${option[1] ?? ''}${fromThere(option[2] ?? '', cwd)}`;
}

/**
 * A relative path that exists there becomes absolute. A bare word has to be a file with an extension, or it is a
 * subcommand that happens to be the name of something.
 */
function fromThere(word: string, cwd: string): string {
  if (word === '' || isAbsolute(word)) return word;
  const path = resolve(cwd, word);
  if (!/[\\/]/.test(word) && word !== '.' && word !== '..' && !(extname(word) !== '' && isFile(path))) return word;
  return existsSync(path) ? path : word;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
