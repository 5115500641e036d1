import type { Writable } from 'node:stream';
import type { TerminalInput, TerminalOutput } from './terminal/screen.js';

/** Environment, streams and stop signal that a command receives from the process. */
export interface CommandContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Path of this program, for commands that start it as a child process. */
  readonly program: string;
  readonly stdin: TerminalInput;
  readonly stdout: TerminalOutput;
  readonly stderr: Writable;
  /** Resolves when the program is asked to stop, with the name of the signal. */
  readonly stopped: Promise<string | undefined>;
}
