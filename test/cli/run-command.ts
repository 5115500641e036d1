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
  /** Text that a person types into the terminal. Without it, the command has no terminal. */
  readonly typed?: string;
}

/** Runs a command in this process and returns its outcome. Only for commands that end by themselves. */
export async function runInProcess(
  args: readonly string[],
  { cwd, env = {}, typed }: CommandOptions,
): Promise<CommandOutcome> {
  const isTTY = typed !== undefined;
  const [stdin, stdout] = [new PassThrough(), new PassThrough()].map((stream) => Object.assign(stream, { isTTY })) as [
    PassThrough & { isTTY: boolean },
    PassThrough & { isTTY: boolean },
  ]; // `map` does not keep the length
  const stderr = new PassThrough();
  stdin.write(typed ?? '');
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
