#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { formatFatalError, redactProcessOutput } from './cli/process-output.js';
import { runCommand } from './cli/run-command.js';

const args = process.argv.slice(2);
redactProcessOutput(args[0] !== 'tap');

/**
 * The first signal asks to stop; the second, of any kind, no longer asks. SIGHUP comes when the terminal closes. A tap hands
 * them on instead.
 */
const stopped = new Promise<string>((resolve) => {
  if (args[0] === 'tap') return;
  let asked = false;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (asked) process.exit(1);
      asked = true;
      resolve(signal);
    });
  }
});

try {
  process.exitCode = await runCommand(args, {
    env: process.env,
    cwd: process.cwd(),
    program: fileURLToPath(import.meta.url),
    // Opened when they are asked for.
    get stdin() {
      return process.stdin;
    },
    get stdout() {
      return process.stdout;
    },
    get stderr() {
      return process.stderr;
    },
    stopped,
  });
} catch (error) {
  process.stderr.write(formatFatalError(error));
  process.exitCode = 1;
}
