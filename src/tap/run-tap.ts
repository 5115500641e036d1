import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { finished, type Readable, type Writable } from 'node:stream';
import { systemClock } from '../shared/index.js';
import { exitLike, type ChildExit, forwardSignals } from './child-exit.js';
import type { UplinkServer } from './uplink/uplink-server.js';
import type { UplinkOptions } from './uplink/uplink.js';
import { StdioProxy } from './stdio-proxy.js';
import { closeStdinDescriptorWith, openStdout, type StdoutStream } from './stdio/standard-streams.js';

/** Options of `runTap`. */
export interface TapOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  readonly uplink: Omit<UplinkOptions, 'clock' | 'random'>;
}

type Server = ChildProcessByStdio<Writable, Readable, null>;

/** Idle time after which the output of an ended server counts as drained, if another process holds it open. */
const DRAIN_IDLE_MS = 500;
const CHECK_INTERVAL_MS = 100;

/**
 * Starts a server, proxies between it and the MCP client, and ends this process with the exit status of the server.
 * @throws the system error if the server cannot be started, such as ENOENT
 */
export async function runTap({ command, args, env, stdin, uplink: uplinkOptions }: TapOptions): Promise<never> {
  let running: Server | null = null;
  forwardSignals(() => running);
  const server: Server = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'inherit'], windowsHide: true });
  running = server;
  const exited = new Promise<ChildExit>((resolve) => server.once('exit', (code, signal) => resolve({ code, signal })));
  await once(server, 'spawn');
  // Emitted when a signal cannot be sent because the server has already ended.
  server.on('error', () => undefined);
  const output = openStdout();
  closeStdinDescriptorWith(stdin);
  let uplinkServer: UplinkServer | null = null;
  let closeUplink = (): void => undefined;
  // An error of the observation must not affect the session of the MCP client.
  process.on('uncaughtException', () => closeUplink());
  const proxy = new StdioProxy(
    { client: { input: stdin, output: output.stream }, server: { input: server.stdin, output: server.stdout } },
    `swarmlens-${randomBytes(9).toString('hex')}-`,
    systemClock,
    {
      onCall: (call) => uplinkServer?.forwardCall(call),
      onToolsChanged: () => uplinkServer?.toolsChanged(),
      onInitialized: () => uplinkServer?.sessionInitialized(),
    },
  );
  // Loaded after the server has started, so that the session does not wait for it.
  const loading = import('./uplink/uplink-server.js').then(({ startUplink }) => {
    const started = startUplink(proxy, { ...uplinkOptions, clock: systemClock, random: Math.random });
    uplinkServer = started.uplinkServer;
    closeUplink = () => started.uplink.end();
  });
  loading.catch(() => undefined);
  const exit = await exited;
  await waitUntilDrained(server.stdout, output);
  closeUplink();
  exitLike(exit);
  return new Promise(() => undefined);
}

/** Resolves when the remaining output of an ended server has been written. */
async function waitUntilDrained(source: Readable, target: StdoutStream): Promise<void> {
  const idle = new AbortController();
  let receivedAtMs = performance.now();
  source.on('data', () => (receivedAtMs = performance.now()));
  const timer = setInterval(() => {
    if (target.stream.writableLength === 0 && performance.now() - receivedAtMs >= DRAIN_IDLE_MS) idle.abort();
  }, CHECK_INTERVAL_MS);
  await new Promise<void>((resolve) => {
    // `process.stdout` never closes, so the end of the source has to suffice.
    if (target.closes) finished(target.stream, { readable: false }, () => resolve());
    else finished(source, () => resolve());
    idle.signal.addEventListener('abort', () => resolve());
  });
  clearInterval(timer);
}
