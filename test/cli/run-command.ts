import { PassThrough } from 'node:stream';
import { runCommand } from '../../src/cli/run-command.js';

export interface CommandOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Text that a person types in a terminal. Without it, there is no terminal. */
  readonly typed?: string;
}

/** Runs a command in this process and returns its outcome. Only for commands that end by themselves. */
export async function runInProcess(
  args: readonly string[],
  { cwd, env = {}, typed }: CommandOptions,
): Promise<CommandOutcome> {
  const isTTY = typed !== undefined;
  const stdin = Object.assign(new PassThrough(), { isTTY });
  const stdout = Object.assign(new PassThrough(), { isTTY });
  const stderr = new PassThrough();
  if (isTTY) stdin.end(typed);
  const code = await runCommand(args, {
    env: { PATH: process.env['PATH'], ...env },
    cwd,
    program: '/main.js',
    stdin,
    stdout,
    stderr,
    stopped: new Promise(() => undefined),
  });
  return { code, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') };
}
