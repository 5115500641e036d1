import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { finished, type Readable, type Writable } from 'node:stream';
import { systemClock } from '../shared/index.js';
import { exitLike, type ChildExit, forwardSignals } from './child-exit.js';
import type { UplinkServer } from './uplink/uplink-server.js';
import { StdioProxy } from './stdio-proxy.js';
import { closeStdinDescriptorWith, openStdout, type StdoutStream } from './stdio/standard-streams.js';

export interface TapOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  /** Where swarmlens is, from `tapAddress`. */
  readonly url: string;
  readonly token: string | null;
}

type Server = ChildProcessByStdio<Writable, Readable, null>;

/** What a server has written is passed on after its end, too; one whose output somebody else holds open is silent for so long. */
const SILENCE_MS = 500;
const LOOK_MS = 100;

/**
 * Starts a server, stands between it and the person's client, and ends this process as the server has ended.
 * @throws the system's error when it cannot be started, such as ENOENT
 */
export async function runTap({ command, args, env, stdin, url, token }: TapOptions): Promise<never> {
  let started: Server | null = null;
  forwardSignals(() => started);
  const server: Server = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'inherit'], windowsHide: true });
  started = server;
  const exited = new Promise<ChildExit>((resolve) => server.once('exit', (code, signal) => resolve({ code, signal })));
  await once(server, 'spawn');
  // A signal that could not be sent: it is gone already.
  server.on('error', () => undefined);
  const output = openStdout();
  closeStdinDescriptorWith(stdin);
  let observation: UplinkServer | null = null;
  let end = (): void => undefined;
  // Whatever goes wrong with watching is no affair of the person's.
  process.on('uncaughtException', () => end());
  const passage = new StdioProxy(
    { client: { input: stdin, output: output.stream }, server: { input: server.stdin, output: server.stdout } },
    `swarmlens-${randomBytes(9).toString('hex')}-`,
    systemClock,
    {
      onCall: (call) => observation?.forwardCall(call),
      onToolsChanged: () => observation?.toolsChanged(),
      onInitialized: () => observation?.sessionInitialized(),
    },
  );
  // Later than the server: what it takes to load this is not waited for.
  const loaded = import('./uplink/uplink-server.js').then(({ startUplink }) => {
    const observed = startUplink(passage, { url, token, clock: systemClock, random: Math.random });
    observation = observed.observation;
    end = () => observed.link.end();
  });
  loaded.catch(() => undefined);
  const ending = await exited;
  await drained(server.stdout, output);
  end();
  exitLike(ending);
  return new Promise(() => undefined);
}

/** Resolves when all has been written that the server, which has ended, left behind. */
async function drained(from: Readable, to: StdoutStream): Promise<void> {
  const silence = new AbortController();
  let heardAtMs = performance.now();
  from.on('data', () => (heardAtMs = performance.now()));
  const timer = setInterval(() => {
    if (to.stream.writableLength === 0 && performance.now() - heardAtMs >= SILENCE_MS) silence.abort();
  }, LOOK_MS);
  await new Promise<void>((resolve) => {
    // Of the one that Node.js never closes, what was written is written.
    if (to.closes) finished(to.stream, { readable: false }, () => resolve());
    else finished(from, () => resolve());
    silence.signal.addEventListener('abort', () => resolve());
  });
  clearInterval(timer);
}
