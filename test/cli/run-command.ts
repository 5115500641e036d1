import { PassThrough } from 'node:stream';
import { run } from '../../src/cli/run.js';

export interface CommandOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a command of the program in this process, for commands that end by themselves. */
export async function runInProcess(
  args: readonly string[],
  { cwd, env = {} }: CommandOptions,
): Promise<CommandOutcome> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await run(args, {
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
