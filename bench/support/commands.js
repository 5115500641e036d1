// Commands and results between the benchmark and its child processes, over Node's IPC channel.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const running = new Set();

/** Child process that executes commands. Ends when it is stopped or when this process ends. */
export class Child {
  #process;
  #waiters = new Map();
  #nextId = 1;
  #ended = null;
  #reason = null;

  /**
   * @param file URL of the module to run
   * @param core number of the core to use; null for any
   */
  constructor(file, args = [], { core = null, flags = [] } = {}) {
    const command = [process.execPath, '--no-warnings', ...flags, fileURLToPath(file), ...args.map(String)];
    if (core !== null) command.unshift('taskset', '-c', String(core));
    this.#process = spawn(command[0], command.slice(1), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // graphql and other packages check less in production.
      env: { ...process.env, NODE_ENV: 'production' },
    });
    running.add(this.#process);
    this.#process.on('message', ({ id, result, error }) => {
      const waiter = this.#waiters.get(id);
      this.#waiters.delete(id);
      if (error === undefined) waiter?.resolve(result);
      else waiter?.reject(new Error(error));
    });
    this.#process.on('error', (error) => this.#end(error));
    this.#process.on('exit', (code, signal) =>
      this.#end(new Error(this.#reason ?? `${fileURLToPath(file)} exited with ${signal ?? code}`)),
    );
  }

  get pid() {
    return this.#process.pid;
  }

  request(command, args = {}, timeoutMs = 30_000) {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      const timer = setTimeout(() => {
        this.#waiters.delete(id);
        reject(new Error(`No response to "${command}" within ${timeoutMs / 1000} s.`));
      }, timeoutMs);
      const finish = (settle) => (value) => {
        clearTimeout(timer);
        settle(value);
      };
      this.#waiters.set(id, { resolve: finish(resolve), reject: finish(reject) });
      this.#process.send({ id, command, args }, () => undefined);
    });
  }

  /** Kills the process and resolves when it has exited. Rejects pending requests with the reason. */
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

/** Kills all processes that were started here. */
export function killChildren() {
  for (const child of running) child.kill('SIGKILL');
}

export const canPin =
  process.platform === 'linux' && ['/usr/bin/taskset', '/bin/taskset'].some((path) => existsSync(path));

/** Executes commands in a child process and returns the results of their handlers. */
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
