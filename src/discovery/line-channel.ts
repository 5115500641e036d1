import { connect } from 'node:net';
import { WebSocket } from 'ws';

/** No greeting is longer. */
const MAX_BUFFER_LENGTH = 4_000_000;

export const SPEAKS_HTTP = 'it speaks HTTP';

/** JSON messages over a socket: for a greeting only. */
export interface LineChannel extends Disposable {
  send(message: object): void;
  /** @throws Error saying how the connection ended */
  messages(): AsyncGenerator<unknown, never>;
}

/** @throws Error when there is no connection, or `signal` is aborted */
export async function openTcp(host: string, port: number, signal: AbortSignal): Promise<LineChannel> {
  const inbox = new Inbox();
  const socket = connect({ host, port, signal });
  socket.setNoDelay(true);
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => inbox.add(chunk));
  socket.on('error', (error) => inbox.end(error));
  socket.on('close', () => inbox.end(new Error('the connection was closed')));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return {
    send: (message) => void socket.write(`${JSON.stringify(message)}\n`),
    messages: () => inbox.messages(),
    [Symbol.dispose]: () => socket.destroy(),
  };
}

/** @throws Error when there is no connection, or `signal` is aborted */
export async function openWebSocket(url: string, signal: AbortSignal): Promise<LineChannel> {
  signal.throwIfAborted();
  const inbox = new Inbox();
  const socket = new WebSocket(url, { maxPayload: MAX_BUFFER_LENGTH, followRedirects: false });
  const abort = (): void => socket.terminate();
  signal.addEventListener('abort', abort, { once: true });
  // Frames need not be whole messages: some relays pass on what a child process happens to have written.
  socket.on('message', (data, isBinary) => {
    if (!isBinary && Buffer.isBuffer(data)) inbox.add(data.toString());
  });
  socket.on('error', (error) => inbox.end(error));
  socket.on('close', () => {
    signal.removeEventListener('abort', abort);
    inbox.end(new Error('the connection was closed'));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return {
    send: (message) => socket.send(JSON.stringify(message)),
    messages: () => inbox.messages(),
    [Symbol.dispose]: () => socket.terminate(),
  };
}

/** Takes text as it comes apart, gives messages. What is no JSON is passed over: servers print what they like. */
class Inbox {
  readonly #messages: unknown[] = [];
  #rest = '';
  #error: Error | null = null;
  #wake: () => void = () => undefined;

  add(text: string): void {
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(line);
    // Not every server ends its messages.
    if (this.#rest !== '' && this.#take(this.#rest)) this.#rest = '';
    if (this.#rest.startsWith('HTTP/')) this.end(new Error(SPEAKS_HTTP));
    if (this.#rest.length > MAX_BUFFER_LENGTH) this.end(new Error('it does not stop talking'));
    this.#wake();
  }

  end(error: Error): void {
    this.#error ??= error;
    this.#wake();
  }

  async *messages(): AsyncGenerator<unknown, never> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) yield message;
      else if (this.#error !== null) throw this.#error;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #take(line: string): boolean {
    if (line.startsWith('HTTP/')) this.end(new Error(SPEAKS_HTTP));
    try {
      const message: unknown = JSON.parse(line);
      if (typeof message !== 'object' || message === null) return false;
      this.#messages.push(message);
      return true;
    } catch {
      return false;
    }
  }
}
