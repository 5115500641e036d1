// Questions and answers between the benchmark and its child processes, over Node's IPC channel.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const running = new Set();

/** A child process that answers commands; it ends when it is stopped, and when this process ends. */
export class Child {
  #process;
  #waiters = new Map();
  #nextId = 1;
  #ended = null;
  #reason = null;

  /** @param core number of the core it may use; null: any */
  constructor(file, args = [], { core = null, flags = [] } = {}) {
    const command = [
      process.execPath,
      '--no-warnings',
      ...flags,
      fileURLToPath(new URL(file, import.meta.url)),
      ...args.map(String),
    ];
    if (core !== null) command.unshift('taskset', '-c', String(core));
    this.#process = spawn(command[0], command.slice(1), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // graphql and others check less there; nobody measures what they would not run.
      env: { ...process.env, NODE_ENV: 'production' },
    });
    running.add(this.#process);
    this.#process.on('message', ({ id, result, error }) => {
      const waiting = this.#waiters.get(id);
      this.#waiters.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(error));
    });
    this.#process.on('error', (error) => this.#end(error));
    this.#process.on('exit', (code, signal) =>
      this.#end(new Error(this.#reason ?? `${file} ended with ${signal ?? code}`)),
    );
  }

  get pid() {
    return this.#process.pid;
  }

  ask(command, args = {}, timeoutMs = 30_000) {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      const timer = setTimeout(() => {
        this.#waiters.delete(id);
        reject(new Error(`no answer to "${command}" within ${timeoutMs / 1000} s`));
      }, timeoutMs);
      const done = (settle) => (value) => {
        clearTimeout(timer);
        settle(value);
      };
      this.#waiters.set(id, { resolve: done(resolve), reject: done(reject) });
      this.#process.send({ id, command, args }, () => undefined);
    });
  }

  /** Resolves when the process is gone; whoever waits for an answer is told the reason. */
  stop(reason = 'stopped') {
    if (this.#ended !== null) return Promise.resolve();
    this.#reason = reason;
    return new Promise((resolve) => {
      this.#process.once('exit', () => resolve());
      this.#process.kill('SIGKILL');
    });
  }

  #end(error) {
    this.#ended ??= error;
    running.delete(this.#process);
    for (const { reject } of this.#waiters.values()) reject(error);
    this.#waiters.clear();
  }
}

/** Ends at once whatever was started here. */
export function killChildren() {
  for (const child of running) child.kill('SIGKILL');
}

export const canPin =
  process.platform === 'linux' && ['/usr/bin/taskset', '/bin/taskset'].some((path) => existsSync(path));

/** In a child: answers commands with what the handlers return. */
export function answerCommands(handlers) {
  process.on('message', ({ id, command, args }) => {
    Promise.resolve()
      .then(() => handlers[command](args))
      .then(
        (result) => process.send({ id, result: result ?? null }),
        (error) => process.send({ id, error: error instanceof Error ? error.message : String(error) }),
      );
  });
  process.on('disconnect', () => process.exit(0));
}
