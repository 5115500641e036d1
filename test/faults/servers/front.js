import { connect, createServer } from 'node:net';
import { runSimulator } from '../../../dist/simulator/index.js';
import { Layer } from './layer.js';

/** TCP proxy in front of a simulator that can refuse and close connections. */
export class Front {
  #kind;
  #simulatorPort;
  #context;
  #port;
  #server = null;
  #sockets = new Set();
  #hangUpOn = null;

  constructor(kind, port, simulatorPort, context) {
    this.#port = port;
    this.#kind = kind;
    this.#simulatorPort = simulatorPort;
    this.#context = context;
  }

  /**
   * @param kind 'tcp' proxies lines and can damage responses, 'http' proxies bytes unchanged
   * @param port port to listen on (0 picks a free port)
   */
  static async open(kind, port, options, context) {
    const io = { stdin: process.stdin, stdout: process.stdout };
    const { url } = await runSimulator({ ...options, transport: kind, port: 0 }, io);
    const front = new Front(kind, port, Number(new URL(url).port), context);
    await front.accept();
    return front;
  }

  get port() {
    return this.#port;
  }

  /** Listens again on the same port. */
  async accept() {
    const server = createServer((socket) => this.#connected(socket));
    this.#server = server;
    await new Promise((resolve, reject) => {
      server.once('error', reject).listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = server.address().port;
  }

  /** Closes all connections and stops listening. */
  async refuse() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Closes each connection that sends `text`. Null disables this. */
  hangUp(text) {
    this.#hangUpOn = text;
  }

  #connected(socket) {
    this.#sockets.add(socket);
    const inner = connect(this.#simulatorPort, '127.0.0.1');
    const cut = () => {
      socket.destroy();
      inner.destroy();
    };
    socket
      .on('error', cut)
      .on('close', () => {
        this.#sockets.delete(socket);
        inner.destroy();
      })
      .on('data', (chunk) => {
        if (this.#hangUpOn === null || !chunk.includes(this.#hangUpOn)) return;
        this.#context.onCall(this.#hangUpOn);
        cut();
      });
    inner.on('error', cut).on('close', () => socket.end());
    if (this.#kind === 'http') {
      socket.pipe(inner).pipe(socket);
      return;
    }
    new Layer({ input: socket, output: socket, toSimulator: inner, fromSimulator: inner, ...this.#context });
  }
}
