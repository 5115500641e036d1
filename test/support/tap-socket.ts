import { once } from 'node:events';
import { WebSocket } from 'ws';
import { loadTapKey, type SealedChannel, TAP_PATH, TAP_PROTOCOLS } from '../../src/shared/index.js';
import { UplinkHandshake } from '../../src/tap/uplink/uplink-handshake.js';
import { TAP_KEY_FILE } from './tap-key-file.js';
import { ChangeNotifier } from './wait.js';

export interface TapSocketOptions {
  /** Fields of the join message that replace or extend the default ones. */
  readonly join?: Readonly<Record<string, unknown>>;
  readonly keyFile?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** WebSocket that connects as a tap does, proves that it knows the tap key and joins. */
export class TapSocket implements Disposable {
  readonly socket: WebSocket;
  /** Decrypted messages of swarmlens after the handshake. */
  readonly received: string[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  /** Resolves when the join message is sent, or the connection has failed. */
  readonly joined: Promise<void>;
  /** Called with each decrypted message. */
  onReceived: (text: string) => void = () => undefined;
  readonly #changes = new ChangeNotifier();
  #channel: SealedChannel | null = null;
  #end: string | null = null;

  constructor({ url }: { readonly url: string }, options: TapSocketOptions = {}) {
    const { join = {}, keyFile = TAP_KEY_FILE, query = '', headers = {} } = options;
    this.socket = new WebSocket(`${url.replace('http', 'ws')}${TAP_PATH}${query}`, [TAP_PROTOCOLS.key], { headers });
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => {
        this.#fail(`closed with ${code} ${reason.toString()}`);
        resolve({ code, reason: reason.toString() });
      });
    });
    this.socket.on('error', (error) => this.#fail(error.message));
    const message = JSON.stringify({ server: 'mine', instance: 'one', ...join });
    this.joined = this.#shakeHands(keyFile, message).catch((error: unknown) => this.#fail(String(error)));
  }

  /** Resolves when swarmlens has accepted the tap and sent its first message. Rejects when the connection ends before. */
  async accepted(): Promise<void> {
    await this.until(() => this.received.length > 0);
  }

  async until(isReached: () => boolean): Promise<void> {
    await this.#changes.until(isReached, { state: () => this.received.slice(-3), failure: () => this.#end });
  }

  /** Sends a message of the session. */
  send(text: string): void {
    if (this.#channel !== null) this.socket.send(this.#channel.seal(text));
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }

  async #shakeHands(keyFile: string, join: string): Promise<void> {
    const handshake = new UplinkHandshake(await loadTapKey(keyFile));
    if (this.socket.readyState === WebSocket.CONNECTING) await once(this.socket, 'open');
    const responded = once(this.socket, 'message');
    this.socket.send(handshake.challenge);
    const [response] = (await responded) as [Buffer]; // of ws
    const finished = handshake.finish(response.toString());
    if (finished === null) throw new Error(`swarmlens did not prove that it knows the key: ${response.toString()}`);
    const { channel, proof } = finished;
    this.#channel = channel;
    this.socket.on('message', (data: Buffer) => {
      const text = channel.open(data).toString();
      this.received.push(text);
      this.onReceived(text);
      this.#changes.notify();
    });
    this.socket.send(proof);
    this.send(join);
  }

  #fail(reason: string): void {
    this.#end ??= reason;
    this.#changes.notify();
  }
}
