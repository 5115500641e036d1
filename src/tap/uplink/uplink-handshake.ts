import { createTapNonce, createTapProof, isTapNonce, SealedChannel, verifyTapProof } from '../../shared/index.js';
import { isRecord } from '../rpc-message.js';

/** Tap's side of the handshake of one connection. */
export class UplinkHandshake {
  readonly #key: Buffer;
  readonly #nonce = createTapNonce();

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** First message of the tap. */
  get challenge(): string {
    return JSON.stringify({ nonce: this.#nonce });
  }

  /**
   * Verifies the response to the challenge. Returns the proof that the tap sends next, and the channel for all further
   * messages. Returns null if the other side does not know the key.
   */
  finish(response: string): { readonly proof: string; readonly channel: SealedChannel } | null {
    let message: unknown;
    try {
      message = JSON.parse(response);
    } catch {
      return null;
    }
    if (!isRecord(message) || !isTapNonce(message['nonce'])) return null;
    const nonces = { tap: this.#nonce, swarmlens: message['nonce'] };
    if (!verifyTapProof(this.#key, 'swarmlens', nonces, message['proof'])) return null;
    const proof = JSON.stringify({ proof: createTapProof(this.#key, 'tap', nonces) });
    return { proof, channel: new SealedChannel(this.#key, 'tap', nonces) };
  }
}
