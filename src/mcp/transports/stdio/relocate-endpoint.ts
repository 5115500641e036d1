import { existsSync, statSync } from 'node:fs';
import { basename, delimiter, dirname, extname, isAbsolute, join, resolve } from 'node:path';
import { getDefaultEnvironment } from '@modelcontextprotocol/client/stdio';
import type { StdioEndpoint } from '../../endpoint.js';

/** Rewrites an endpoint to run in `directory`, with the same program and the same files as arguments. */
export function relocateEndpoint(endpoint: StdioEndpoint, directory: string): StdioEndpoint {
  const { command, args, cwd, env } = endpoint;
  const moved = {
    ...endpoint,
    // A command without a separator is looked up on the PATH, wherever it is started.
    command: /[\\/]/.test(command) ? resolvePath(command, cwd) : command,
    args: args.map((arg) => resolveArgument(arg, cwd)),
    cwd: directory,
  };
  return /^npx(?:\.cmd|\.exe)?$/i.test(basename(command)) ? withProjectPrefix(moved, cwd, env) : moved;
}

/**
 * Makes a relocated `npx` use the original project. `npx` prefers packages of the project around its working directory,
 * and `--prefix` selects another project. With the project's programs on the PATH, `name@version`, `-p` and `-c` work as
 * in the project itself.
 */
function withProjectPrefix(moved: StdioEndpoint, cwd: string, env: StdioEndpoint['env']): StdioEndpoint {
  const directories = ancestors(cwd);
  const project = directories.find(
    (path) => existsSync(join(path, 'package.json')) || existsSync(join(path, 'node_modules')),
  );
  if (project === undefined) return moved;
  const programs = directories.map((path) => join(path, 'node_modules', '.bin')).filter((path) => existsSync(path));
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

/** Resolves an argument of the form `file` or `--option=file`. */
function resolveArgument(arg: string, cwd: string): string {
  const option = /^(--?[^=]+=)(.+)$/s.exec(arg);
  if (option === null) return arg.startsWith('-') ? arg : resolvePath(arg, cwd);
  return `${option[1] ?? ''}${resolvePath(option[2] ?? '', cwd)}`;
}

/**
 * Makes a relative path absolute if it exists in `cwd`. A bare word must be a file with an extension, because it may be a
 * subcommand with the name of a directory.
 */
function resolvePath(argument: string, cwd: string): string {
  if (argument === '' || isAbsolute(argument)) return argument;
  const path = resolve(cwd, argument);
  const isBareWord = !/[\\/]/.test(argument) && argument !== '.' && argument !== '..';
  if (isBareWord && !(extname(argument) !== '' && isFile(path))) return argument;
  return existsSync(path) ? path : argument;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
