import type { Readable, Writable } from 'node:stream';
import type { TerminalOutput } from './terminal/screen.js';

/** What a command gets from the outside. */
export interface CommandContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** This program's file, for commands that start it again. */
  readonly program: string;
  readonly stdin: Readable;
  readonly stdout: TerminalOutput;
  readonly stderr: Writable;
  /** Resolves when somebody asks the program to stop. */
  readonly stopped: Promise<void>;
}
