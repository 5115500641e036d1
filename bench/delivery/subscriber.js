// One subscriber of the benchmark: counts updates, and looks into them only when it is one of the sampled.
import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { constants, inflateRawSync } from 'node:zlib';
import { FrameSocket } from './frame-reader.js';
import { SUBSCRIPTION, variablesOf } from './operation.js';

const STAMP = '"tokenUsage":';
const WINDOW_BYTES = 32 * 1024;
/** Enough of a message to see what it is. */
const HEAD_BYTES = 80;

export class Subscriber {
  updates = 0;
  /** Why it ended before it was told to. */
  failure = null;
  #socket;
  #options;
  #subscribed = false;
  #awaitingFirstUpdate = false;
  #left = false;
  #acknowledged;
  #first;
  #dictionary = Buffer.alloc(0);

  /** @param options port, compressed, index, filters, hz, sampled, token, onLatency(ms) */
  constructor(options) {
    this.#options = options;
    this.ready = new Promise((resolve, reject) => {
      this.#acknowledged = { resolve, reject };
    });
    this.#socket = new FrameSocket({
      port: options.port,
      compressed: options.compressed,
      handlers: {
        onOpen: () => this.#socket.send(JSON.stringify({ type: 'connection_init', ...payloadOf(options) })),
        onMessage: (kept, compressed) => this.#onMessage(kept, compressed),
        onClose: (reason) => this.#fail(reason),
      },
    });
  }

  get bytes() {
    return this.#socket.bytesRead;
  }

  get extensions() {
    return this.#socket.extensions;
  }

  /** Resolves when the first update is there. */
  subscribe() {
    const { index, filters, hz, sampled } = this.#options;
    this.#subscribed = true;
    this.#socket.keep = sampled ? Infinity : HEAD_BYTES;
    const payload = { query: SUBSCRIPTION, variables: variablesOf(filters, index, hz) };
    const first = new Promise((resolve, reject) => {
      this.#first = { resolve, reject };
    });
    // As the client of graphql-ws does: no two subscriptions have the same id.
    this.#socket.send(JSON.stringify({ id: randomUUID(), type: 'subscribe', payload }));
    return first;
  }

  /** Stops reading for good. */
  stall() {
    this.#socket.pause();
  }

  leave() {
    this.#left = true;
    this.#socket.end();
  }

  #onMessage(kept, compressed) {
    if (!this.#subscribed) {
      const text = this.#text(kept, compressed);
      if (text.includes('connection_ack')) this.#acknowledged.resolve();
      return;
    }
    this.updates += 1;
    const { sampled, onLatency } = this.#options;
    if (this.#awaitingFirstUpdate && !sampled) return;
    // Without the whole message there is no inflating it; the sampled ones look for all.
    const text = sampled || !compressed ? this.#text(kept, compressed) : '';
    if (this.#awaitingFirstUpdate) {
      const stampMicros = stampOf(text);
      if (stampMicros !== null) onLatency(Number(process.hrtime.bigint()) / 1e6 - stampMicros / 1000);
      return;
    }
    this.#awaitingFirstUpdate = true;
    if (!sampled) this.#socket.keep = 0;
    if (text !== '' && (!text.includes('"next"') || text.includes('"errors"'))) this.#fail(text.slice(0, 200));
    else this.#first.resolve();
  }

  #text(kept, compressed) {
    const payload = kept.length === 1 ? kept[0] : Buffer.concat(kept);
    if (!compressed) return payload.toString('latin1');
    // RFC 7692: the sender has left out the end of the block.
    const whole = Buffer.concat([payload, Buffer.from([0, 0, 0xff, 0xff])]);
    const output = inflateRawSync(whole, { dictionary: this.#dictionary, finishFlush: constants.Z_SYNC_FLUSH });
    if (!this.extensions.includes('server_no_context_takeover')) {
      this.#dictionary = Buffer.concat([this.#dictionary, output]).subarray(-WINDOW_BYTES);
    }
    return output.toString('latin1');
  }

  #fail(reason) {
    if (this.#left) return;
    this.failure ??= reason;
    const error = new Error(reason);
    this.#acknowledged.reject(error);
    this.#first?.reject(error);
  }
}

/** Over WebSocket a browser can say only there who it is. */
function payloadOf({ token }) {
  return token == null ? {} : { payload: { authorization: `Bearer ${token}` } };
}

/** Of the first agent, which in an update over several ticks is the one that waited longest. */
function stampOf(text) {
  const at = text.indexOf(STAMP);
  if (at < 0) return null;
  const stamp = Number.parseInt(text.slice(at + STAMP.length, at + STAMP.length + 20), 10);
  return stamp > 0 ? stamp : null;
}
