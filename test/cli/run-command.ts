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
}

/** Runs a command in this process and returns its outcome. Only for commands that end by themselves. */
export async function runInProcess(
  args: readonly string[],
  { cwd, env = {} }: CommandOptions,
): Promise<CommandOutcome> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await runCommand(args, {
    env: { PATH: process.env['PATH'], ...env },
    cwd,
    program: '/main.js',
    stdin: new PassThrough(),
    stdout,
    stderr,
    stopped: new Promise(() => undefined),
  });
  return { code, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') };
}
