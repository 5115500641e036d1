import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectSession, type StdioEndpoint, TransportError } from '../../src/mcp/index.js';
import { OutputTail } from '../../src/mcp/transports/stdio/output-tail.js';
import { SECRETS } from '../support/secrets.js';
import { connectOptions, outcomeOf } from './support.js';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Output of programs that ended, as recorded, and what is quoted of it. */
const RECORDED: readonly (readonly [program: string, output: string, quoted: string])[] = [
  [
    'Node.js without a module',
    `node:internal/modules/cjs/loader:1228
  throw err;
  ^

Error: Cannot find module 'express'
Require stack:
- /home/me/server.js
- /home/me/other.js
    at Module._resolveFilename (node:internal/modules/cjs/loader:1225:15)
    at Module._load (node:internal/modules/cjs/loader:1051:27)
    at Module.require (node:internal/modules/cjs/loader:1311:19) {
  code: 'MODULE_NOT_FOUND',
  requireStack: [ '/home/me/server.js', '/home/me/other.js' ]
}

Node.js v20.20.2
`,
    "Error: Cannot find module 'express'",
  ],
  [
    'Node.js without a module, as a module',
    `node:internal/modules/esm/resolve:283
    throw new ERR_MODULE_NOT_FOUND(
          ^

Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'zod' imported from /home/me/server.mjs
    at packageResolve (node:internal/modules/esm/resolve:873:9)
    at new NodeError (node:internal/errors:405:5) {
  code: 'ERR_MODULE_NOT_FOUND'
}

Node.js v20.20.2
`,
    "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'zod' imported from /home/me/server.mjs",
  ],
  [
    'Node.js with a very long stack',
    `Starting\nTypeError: x is not a function\n${'    at f (/home/me/server.js:1:1)\n'.repeat(300)}\nNode.js v20.20.2\n`,
    'TypeError: x is not a function',
  ],
  [
    'Node.js with a message of several lines',
    `Error: Invalid configuration
  DATABASE_URL is missing
  PORT is missing
    at main (/home/me/server.js:1:1)
`,
    'Error: Invalid configuration | DATABASE_URL is missing | PORT is missing',
  ],
  [
    'Node.js with a cause',
    `Error: cannot start
    at main (/home/me/server.js:3:9) {
  [cause]: Error: connect ECONNREFUSED 127.0.0.1:5432
      at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1611:16) {
    errno: -111,
    code: 'ECONNREFUSED'
  }
}
`,
    'Error: cannot start | [cause]: Error: connect ECONNREFUSED 127.0.0.1:5432',
  ],
  [
    'Node.js with a port in use',
    `node:events:497
      throw er; // Unhandled 'error' event
      ^

Error: listen EADDRINUSE: address already in use :::3000
    at Server.setupListenHandle [as _listen2] (node:net:1904:16)
Emitted 'error' event on Server instance at:
    at emitErrorNT (node:net:1883:8) {
  code: 'EADDRINUSE',
  port: 3000
}

Node.js v20.20.2
`,
    'Error: listen EADDRINUSE: address already in use :::3000',
  ],
  [
    'Node.js with a rejected promise that is no error',
    `node:internal/process/promises:394
      triggerUncaughtException(err, true /* fromPromise */);
      ^

[UnhandledPromiseRejection: This error originated by rejecting a promise. The promise rejected with the reason "boom".] {
  code: 'ERR_UNHANDLED_REJECTION'
}

Node.js v20.20.2
`,
    '[UnhandledPromiseRejection: This error originated by rejecting a promise. The promise rejected with the reason "boom".]',
  ],
  [
    'Node.js with a syntax error',
    `/home/me/server.js:3
const a = ;
          ^

SyntaxError: Unexpected token ';'
    at wrapSafe (node:internal/modules/cjs/loader:1469:18)

Node.js v20.20.2
`,
    "SyntaxError: Unexpected token ';'",
  ],
  [
    'Python without a module',
    `Traceback (most recent call last):
  File "/home/me/server.py", line 1, in <module>
    import mcp
ModuleNotFoundError: No module named 'mcp'
`,
    "ModuleNotFoundError: No module named 'mcp'",
  ],
  [
    'Python with an error during another one',
    `Traceback (most recent call last):
  File "/home/me/server.py", line 2, in <module>
    open("a")
    ~~~~^^^^^
FileNotFoundError: [Errno 2] No such file or directory: 'a'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/home/me/server.py", line 4, in <module>
    raise shop.errors.Unavailable("no database")
shop.errors.Unavailable: no database
`,
    'shop.errors.Unavailable: no database',
  ],
  [
    'Python with a group of errors',
    `  + Exception Group Traceback (most recent call last):
  |   File "/home/me/server.py", line 9, in <module>
  |     main()
  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/home/me/server.py", line 4, in main
    |     raise ValueError("API_KEY is missing")
    | ValueError: API_KEY is missing
    +------------------------------------
`,
    'ValueError: API_KEY is missing',
  ],
  [
    'Python with a syntax error',
    `  File "/home/me/server.py", line 1
    a =
      ^
SyntaxError: invalid syntax
`,
    'SyntaxError: invalid syntax',
  ],
  [
    'npx with an unknown package',
    `npm error code E404
npm error 404 Not Found - GET https://registry.npmjs.org/no-such-server - Not found
npm error 404
npm error 404  'no-such-server@*' is not in this registry.
npm error A complete log of this run can be found in: /home/me/.npm/_logs/x.log
`,
    "npm error code E404 | npm error 404 Not Found - GET https://registry.npmjs.org/no-such-server - Not found | npm error 404 | npm error 404 'no-such-server@*' is not in this registry.",
  ],
  ['a shell without the command', 'sh: 1: no-such-command: not found\n', 'sh: 1: no-such-command: not found'],
  [
    'uvx with an unknown package',
    `  × No solution found when resolving tool dependencies:
  ╰─▶ Because no-such-server was not found in the package registry, your requirements are unsatisfiable.
`,
    '× No solution found when resolving tool dependencies: | ╰─▶ Because no-such-server was not found in the package registry, your requirements are unsatisfiable.',
  ],
  [
    'docker without its daemon',
    `docker: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?.
See 'docker run --help'.
`,
    "docker: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?. | See 'docker run --help'.",
  ],
  [
    'Go with a panic',
    `panic: missing token

goroutine 1 [running]:
main.main()
	/home/me/main.go:4 +0x27
exit status 2
`,
    'panic: missing token | main.main() | /home/me/main.go:4 +0x27 | exit status 2',
  ],
  [
    'Rust with a panic',
    `thread 'main' panicked at src/main.rs:2:5:
no configuration
note: run with \`RUST_BACKTRACE=1\` environment variable to display a backtrace
`,
    "thread 'main' panicked at src/main.rs:2:5: | no configuration",
  ],
  [
    'Java with an exception',
    `Exception in thread "main" java.lang.IllegalStateException: no key
\tat com.example.Main.main(Main.java:5)
`,
    'Exception in thread "main" java.lang.IllegalStateException: no key',
  ],
  [
    'plain words after a handled error',
    'Error: no cache\n    at f (a.js:1:1)\nusing none\nMissing API_KEY\n',
    'Error: no cache | using none | Missing API_KEY',
  ],
  ['colors', '\u001b[31mError: no key\u001b[0m\n    at f (a.js:1:1)\n', 'Error: no key'],
  ['no line end', 'starting\nError: no key', 'Error: no key'],
];

describe('OutputTail', () => {
  test.each(RECORDED)('names the reason of %s', (_program, output, quoted) => {
    const tail = new OutputTail();
    for (const character of output) tail.push(character);
    expect(tail.toString()).toBe(quoted);
    expect(tail.toString()).toBe(tail.toString());
  });

  test('quotes at most 1,000 characters, without secrets', () => {
    const secret = SECRETS['GitHub token'] ?? '';
    const tail = new OutputTail();
    tail.push(`Error: ${secret} ${'x'.repeat(5_000)}\n${'y '.repeat(3_000)}\n${'z '.repeat(3_000)}\n`);
    expect(tail.toString().length).toBeLessThanOrEqual(1_000);
    expect(tail.toString()).not.toContain(secret);
  });
});

describe('connectSession with a child that ends', () => {
  const failure = async (endpoint: StdioEndpoint): Promise<string> => {
    const outcome = await outcomeOf(connectSession(endpoint, connectOptions()));
    expect(outcome).toBeInstanceOf(TransportError);
    return outcome instanceof Error ? outcome.message : '';
  };
  const node = (script: string): StdioEndpoint => ({
    type: 'stdio',
    command: process.execPath,
    args: ['-e', script],
    cwd: directory,
    env: {},
  });
  const shell = (script: string): StdioEndpoint => ({ ...node(''), command: 'sh', args: ['-c', script] });

  test.each<[string, () => StdioEndpoint, string]>([
    [
      'a missing module',
      () => node('require("no-such-module")'),
      "the process ended with exit code 1 (stderr: Error: Cannot find module 'no-such-module')",
    ],
    [
      'a missing file of its own',
      () => ({ ...node(''), args: ['no-such-file.js'] }),
      'the process ended with exit code 1 (stderr: Error: Cannot find module ',
    ],
    [
      'a reason on the standard output',
      () => node('console.log("API_KEY is not set"); process.exit(3)'),
      'the process ended with exit code 3 (stdout: API_KEY is not set)',
    ],
    [
      'a reason on the standard output without a line end',
      () => node('process.stdout.write("API_KEY is not set", () => process.exit(3))'),
      '(stdout: API_KEY is not set)',
    ],
    [
      'a reason on the standard output as JSON',
      () => node('console.log(JSON.stringify({ level: "error", msg: "no key" })); process.exit(3)'),
      '(stdout: {"level":"error","msg":"no key"})',
    ],
    [
      'an error without an id on the standard output',
      () =>
        node('console.log(`{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"no key"}}`); process.exit(3)'),
      'exit code 3 (last error: no key)',
    ],
    [
      'a reason on both',
      () => node('console.log("starting"); console.error("no license"); process.exit(3)'),
      '(stderr: no license; stdout: starting)',
    ],
    [
      'an error on one and other output on the other',
      () => node('console.log("starting"); throw new RangeError("too far")'),
      'the process ended with exit code 1 (stderr: RangeError: too far)',
    ],
    ['a signal', () => node('process.kill(process.pid, "SIGKILL")'), 'the process ended with signal SIGKILL'],
    ['no reason', () => node('process.exit(4)'), 'the process ended with exit code 4'],
    ['a command that its shell does not find', () => shell('no-such-command'), 'exit code 127 (stderr: '],
    [
      'a text that ends within its arguments',
      () => ({ ...node(''), command: './no such file -y', args: [] }),
      'command not found: ./no such file -y',
    ],
  ])('reports %s', async (_reason, endpoint, message) => {
    expect(await failure(endpoint())).toContain(message);
  });

  test('advises to write arguments in "args" when a command with spaces does not exist', async () => {
    expect(await failure({ ...node(''), command: './run --stdio' })).toBe(
      `command not found: ./run --stdio (in ${directory}) – write its arguments in "args"`,
    );
  });

  test('reports a file that is not executable, and one whose interpreter does not exist', async () => {
    const file = join(directory, 'run');
    await writeFile(file, '#!/no/such/interpreter\n');
    expect(await failure({ ...node(''), command: './run' })).toBe(
      `command cannot be executed: ./run (in ${directory}) – make the file executable`,
    );
    await chmod(file, 0o755);
    expect(await failure({ ...node(''), command: './run' })).toBe(
      `interpreter not found: the program in the first line of ./run (in ${directory}) does not exist`,
    );
  });

  test('does not reveal a secret that a child prints before it ends', async () => {
    const secret = SECRETS['GitHub token'] ?? '';
    const message = await failure(
      node(`console.log("key ${secret}"); console.error("token ${secret}"); process.exit(1)`),
    );
    expect(message).toContain('[redacted]');
    expect(message).not.toContain(secret);
  });
});
