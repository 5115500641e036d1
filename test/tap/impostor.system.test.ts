import { chmod, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { TAP_PATH, TAP_PROTOCOLS } from '../../src/shared/index.js';
import { PROGRAM, startApp } from '../support/app.js';
import { TAP_KEY_FILE } from '../support/tap-key-file.js';
import { TemporaryDirectory } from '../support/temporary-directory.js';
import { Tapped } from './tap-setup.js';
import { busy, TapReceiver } from './uplink-receiver.js';

const TOKEN = 'swl_0123456789ab_the-token-of-the-user';
const SECRET = 'arguments-of-the-user';

/** Starts a tap with a token in front of a server that answers every request. */
function startTap(url: string, flags: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Tapped {
  return Tapped.running('talking', ['1', '0'], { url, flags, env: { SWARMLENS_TOKEN: TOKEN, ...env } }).reading();
}

/** Runs the handshake of a session, and a tool call. */
async function converse(tapped: Tapped): Promise<void> {
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'user', version: '1' } };
  await tapped.write(`${JSON.stringify({ jsonrpc: '2.0', id: -1, method: 'initialize', params })}\n`);
  await tapped.until(() => /"id":-1[,}]/.test(tapped.stdout));
  await tapped.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
  await callTool(tapped, 1);
}

async function callTool(tapped: Tapped, id: number): Promise<void> {
  const params = { name: 'agent_spawn', arguments: { text: SECRET } };
  await tapped.write(`${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params })}\n`);
  await tapped.until(() => new RegExp(`"id":${id}[,}]`).test(tapped.stdout));
}

/** Ends the session. Returns the number of injected calls that reached the server, and the notices of the tap. */
async function end(tapped: Tapped): Promise<{ readonly injected: unknown; readonly notices: readonly string[] }> {
  tapped.child.stdin?.end();
  expect(await tapped.outcome()).toEqual({ code: 4, signal: null });
  const lines = tapped.stderr.trim().split('\n');
  const report = JSON.parse(lines.find((line) => line.startsWith('{')) ?? '') as { own: unknown }; // see the fixture
  return { injected: report.own, notices: lines.filter((line) => !line.startsWith('{')) };
}

/** Sends requests as swarmlens does, without a proof. */
function commandWithoutProof(socket: WebSocket): void {
  socket.send('{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}');
  socket.send('{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"agent_spawn","arguments":{}}}');
}

const UNPROVED =
  /^swarmlens tap: The session is not observed, because the program at ws:\/\/127\.0\.0\.1:\d+ did not prove that it knows the tap key .*tap\.key\.$/;

describe('swarmlens tap on a port that another program holds', () => {
  test.each<[string, (socket: WebSocket) => void]>([
    ['sends requests without a proof', commandWithoutProof],
    [
      'sends a wrong proof',
      (socket) =>
        socket.once('message', () => socket.send(JSON.stringify({ nonce: 'A'.repeat(43), proof: 'B'.repeat(43) }))),
    ],
    ['returns the challenge', (socket) => socket.on('message', (data: Buffer) => socket.send(data.toString()))],
  ])('sends no token, observes nothing and executes no call when the program %s', async (_name, impersonate) => {
    await using receiver = await TapReceiver.start(busy, { impersonate });
    await using tapped = startTap(receiver.url);
    await converse(tapped);
    await receiver.until(() => receiver.closes.length > 1);
    await callTool(tapped, 2);
    const { injected, notices } = await end(tapped);
    expect(injected).toBe(0);
    expect(notices).toEqual([expect.stringMatching(UNPROVED)]);
    for (const { url, headers } of receiver.requests) {
      expect([url, headers.authorization]).toEqual(['/tap', undefined]);
    }
    // Each connection ends after the challenge of the tap.
    for (const frame of receiver.frames) expect(frame.toString()).toMatch(/^\{"nonce":"[\w-]{43}"\}$/);
    expect(new Set(receiver.frames.map((frame) => frame.toString())).size).toBe(receiver.frames.length);
  });

  test('sends no token when the program knows another key, or repeats what swarmlens sent to another tap', async () => {
    await using directory = await TemporaryDirectory.create();
    const recorded: Buffer[] = [];
    {
      await using genuine = await TapReceiver.start(busy, { onSent: (data) => recorded.push(data) });
      await using tapped = startTap(genuine.url);
      await genuine.until(() => genuine.joins[0]);
      tapped.child.stdin?.end();
      await tapped.outcome();
    }
    expect(recorded[0]?.toString()).toContain('"proof"');
    const replay = (socket: WebSocket): void => {
      socket.once('message', () => recorded.forEach((data) => socket.send(data)));
    };
    for (const options of [{ keyFile: directory.path('other.key') }, { impersonate: replay }]) {
      await using receiver = await TapReceiver.start(busy, options);
      await using tapped = startTap(receiver.url);
      await converse(tapped);
      await receiver.until(() => receiver.closes.length > 0);
      const { injected, notices } = await end(tapped);
      expect([injected, receiver.joins, notices]).toEqual([0, [], [expect.stringMatching(UNPROVED)]]);
    }
  });

  test('reveals nothing to a program that forwards the connection to swarmlens on another port', async () => {
    await using app = await startApp([]);
    const forwarded: Buffer[] = [];
    const taps: WebSocket[] = [];
    const impersonate = (tap: WebSocket): void => {
      taps.push(tap);
      const swarmlens = new WebSocket(`${app.url.replace('http', 'ws')}${TAP_PATH}`, TAP_PROTOCOLS.key);
      const opened = once(swarmlens, 'open');
      tap.on('message', (data: Buffer, isBinary) => {
        opened.then(
          () => swarmlens.send(data, { binary: isBinary }),
          () => undefined,
        );
      });
      swarmlens.on('message', (data: Buffer, isBinary) => {
        forwarded.push(data);
        tap.send(data, { binary: isBinary });
      });
      swarmlens.on('error', () => undefined).on('close', () => tap.terminate());
      tap.on('close', () => swarmlens.terminate());
    };
    await using relay = await TapReceiver.start(busy, { impersonate });
    const simulator = [process.execPath, PROGRAM, 'simulate', '--type', 'ruv-swarm', '--hz', '0'];
    await using tapped = new Tapped(simulator, { url: relay.url, env: { SWARMLENS_TOKEN: TOKEN } }).reading();
    await converse(tapped);
    await relay.until(() => relay.frames.length > 6);
    await callTool(tapped, 2);
    const before = relay.frames.length;
    await callTool(tapped, 3);
    await relay.until(() => relay.frames.length > before);
    const bytes = Buffer.concat([...relay.frames, ...forwarded]).toString('latin1');
    expect(bytes).not.toMatch(/the-token-of-the-user|arguments-of-the-user|agent_spawn|jsonrpc|mine/);
    // A call that the program adds itself ends the connection.
    for (const tap of taps) tap.send('{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"agent_list"}}');
    await tapped.until(() => tapped.stderr.includes('sent a message that was changed on its way'));
    await callTool(tapped, 4);
  });

  test('observes the session when swarmlens takes the place of the program', async () => {
    const impostor = await TapReceiver.start(busy, { impersonate: commandWithoutProof });
    const { url, port } = impostor;
    await using tapped = startTap(url);
    await converse(tapped);
    await impostor.until(() => impostor.closes.length > 0);
    await impostor[Symbol.asyncDispose]();
    await using genuine = await TapReceiver.start(busy, { port });
    const join = await genuine.until(() => genuine.joins[0]);
    expect(join).toMatchObject({ server: 'mine', token: TOKEN });
    await genuine.until(() => genuine.received.length > 3);
  });

  test('reports an HTTP server that is not swarmlens', async () => {
    const server = createServer((_request, response) => response.writeHead(404).end());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // it listens on a port
    await using tapped = startTap(`http://127.0.0.1:${port}`);
    await tapped.until(() => tapped.stderr.includes(`at ws://127.0.0.1:${port} refused the tap with HTTP status 404.`));
    await converse(tapped);
    expect(await end(tapped)).toMatchObject({ injected: 0 });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('swarmlens tap', () => {
  test.each<[string, (file: string) => Promise<unknown>, RegExp]>([
    ['can be read by other users', (file) => chmod(file, 0o644), /is accessible to other users \(mode 0644\)/],
    ['is a link to a file of other users', (file) => replaceByLink(file, 0o640), /is accessible to other users/],
    ['is a link to nothing', (file) => replaceByLink(file, null), /is a symbolic link to a file that does not exist/],
    ['contains no key', (file) => writeFile(file, 'secret\n'), /contains no key of 32 bytes/],
    ['is a directory', (file) => rm(file).then(() => mkdir(file)), /is not a regular file/],
  ])('connects nowhere and keeps the session when the key file %s', async (_name, damage, reason) => {
    await using directory = await TemporaryDirectory.create();
    const file = directory.path('tap.key');
    await writeFile(file, await readFile(TAP_KEY_FILE), { mode: 0o600 });
    await damage(file);
    await using receiver = await TapReceiver.start(busy);
    await using tapped = startTap(receiver.url, ['--key-file', file]);
    await tapped.until(() => tapped.stderr.includes('not observed'));
    await converse(tapped);
    const { injected, notices } = await end(tapped);
    expect([injected, receiver.requests]).toEqual([0, []]);
    expect(notices).toEqual([
      expect.stringMatching(/^swarmlens tap: The session is not observed, because the tap key cannot be used: /),
    ]);
    expect(notices[0]).toMatch(reason);
  });

  test('creates the key file for its user and finds swarmlens by it without further set-up', async () => {
    await using directory = await TemporaryDirectory.create();
    const env = { XDG_STATE_HOME: directory.root, SWARMLENS_TAP_KEY_FILE: '' };
    const keyFile = directory.path('swarmlens/tap.key');
    await using receiver = await TapReceiver.start(busy, { keyFile });
    await using tapped = startTap(receiver.url, [], env);
    await converse(tapped);
    await receiver.until(() => receiver.received.length > 3);
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
    expect((await stat(directory.path('swarmlens'))).mode & 0o777).toBe(0o700);
    expect((await end(tapped)).notices).toEqual([]);
  });

  test('forwards reading calls and allowed tools only, and reports the others', async () => {
    const calls = ['list_agents', 'agent_spawn', 'terminal_execute'];
    await using receiver = await TapReceiver.start((socket) => {
      socket.send('{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}', () => undefined);
      socket.once('message', () => {
        calls.forEach((name, index) => {
          const params = { name, arguments: {} };
          socket.send(JSON.stringify({ jsonrpc: '2.0', id: index + 1, method: 'tools/call', params }), () => undefined);
        });
        socket.send('{"jsonrpc":"2.0","id":4,"method":"resources/read","params":{}}', () => undefined);
      });
    });
    await using tapped = startTap(receiver.url, ['--allow-tools', 'agent_spawn,other']);
    await converse(tapped);
    const answered = (): unknown[] => receiver.received.filter(({ id }) => typeof id === 'number' && id > 0);
    await receiver.until(() => answered().length === 4);
    expect(receiver.joins[0]?.allowTools).toEqual(['agent_spawn', 'other']);
    expect(answered()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: 1, error: undefined }),
        expect.objectContaining({ id: 2, error: undefined }),
        expect.objectContaining({ id: 3, error: { code: -32602, message: expect.stringContaining('--allow-tools') } }),
        expect.objectContaining({ id: 4, error: expect.objectContaining({ code: -32602 }) }),
      ]),
    );
    const { injected, notices } = await end(tapped);
    expect(injected).toBe(2);
    expect(notices).toEqual([
      expect.stringMatching(/^swarmlens tap: Refused a request of swarmlens: .*"terminal_execute"/),
      expect.stringMatching(/Refused a request of swarmlens: .*"resources\/read"/),
    ]);
  });
});

/** Replaces a file by a link. @param mode mode of the linked file; null if it does not exist */
async function replaceByLink(file: string, mode: number | null): Promise<void> {
  const target = `${file}.target`;
  await rename(file, target);
  if (mode === null) await rm(target);
  else await chmod(target, mode);
  await symlink(target, file);
}
