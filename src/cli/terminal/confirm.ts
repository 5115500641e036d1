import { createInterface } from 'node:readline/promises';
import type { TerminalInput, TerminalOutput } from './screen.js';

export interface ConfirmContext {
  readonly stdin: TerminalInput;
  readonly stdout: TerminalOutput;
  /** Resolves when the program is asked to stop. */
  readonly stopped: Promise<unknown>;
}

/** Asks a question in the terminal. Returns false if the answer is not `y` or `yes`, or if there is no answer. */
export async function confirm(question: string, { stdin, stdout, stopped }: ConfirmContext): Promise<boolean> {
  // The terminal edits the line and turns Ctrl-C into a signal.
  const lines = createInterface({ input: stdin, output: stdout, terminal: false });
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    const answer = await Promise.race([lines.question(`${question} [y/N] `), ended, stopped.then(() => '')]);
    return /^y(?:es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
