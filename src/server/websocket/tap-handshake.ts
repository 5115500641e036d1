import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import {
  type Clock,
  createTapNonce,
  createTapProof,
  isTapNonce,
  listOf,
  MAX_ALLOW_TOOLS,
  MAX_ANCESTORS,
  MAX_TOOL_NAME_LENGTH,
  ORIGIN_KEY_LENGTH,
  scheduleDeadline,
  SealedChannel,
  TAP_HANDSHAKE_TIMEOUT_MS,
  verifyTapProof,
} from '../../shared/index.js';
import { SealedSocket } from './sealed-socket.js';

/** Most bytes that a tap may send before it has proved its identity, and before its join message is complete. */
const MAX_BYTES = { unverified: 4_096, verified: 256 * 1_024 };

/** Longest identity of the MCP client that started a tap. */
const MAX_CLIENT_LENGTH = 64;

const keySchema = z.string().length(ORIGIN_KEY_LENGTH);

const originSchema = z.object({ processKeys: z.array(keySchema).max(MAX_ANCESTORS), directoryKey: keySchema });

const joinSchema = z.object({
  server: z.string(),
  instance: z.string(),
  client: z.string().min(1).max(MAX_CLIENT_LENGTH).nullish().catch(null),
  origin: originSchema.optional().catch(undefined),
  allowTools: listOf(z.string().min(1).max(MAX_TOOL_NAME_LENGTH))
    .refine(({ length }) => length <= MAX_ALLOW_TOOLS)
    .default([]),
  token: z.string().nullish(),
});

/** First message of a tap after the handshake. */
export type TapJoin = z.output<typeof joinSchema>;

const challengeSchema = z.object({ nonce: z.string().refine(isTapNonce) });
const proofSchema = z.object({ proof: z.string() });

export interface TapHandshakeOptions {
  /** Stream of the socket. */
  readonly duplex: Duplex;
  /** Returns the tap key. Null if the tap has already been authenticated by its token. */
  readonly loadKey: (() => Promise<Buffer>) | null;
  readonly clock: Clock;
  /** Called once when the tap has proved its identity and sent its join message. */
  readonly onJoin: (join: TapJoin, socket: WebSocket | SealedSocket) => void;
  /** Called once when the tap must be rejected. Nothing is called afterwards. */
  readonly onFailure: (failure: TapHandshakeFailure) => void;
}

/** Reason for the rejection of a tap. `UNAVAILABLE` means that swarmlens cannot read its key. */
export interface TapHandshakeFailure {
  readonly kind: 'INVALID' | 'UNPROVED' | 'TIMEOUT' | 'UNAVAILABLE';
  readonly error?: unknown;
}

/**
 * Handshake of swarmlens with one tap. The tap sends a challenge, swarmlens proves that it knows the key and sends a challenge,
 * and the tap proves that it knows the key. The tap then sends its join message, encrypted.
 */
export class TapHandshake {
  readonly #socket: WebSocket;
  readonly #options: TapHandshakeOptions;
  readonly #deadline: Disposable;
  /** Handles the next message. Null if none is expected. */
  #next: ((data: Buffer) => void) | null;
  #receivedBytes = 0;
  #maxBytes: number;
  #hasEnded = false;

  constructor(socket: WebSocket, options: TapHandshakeOptions) {
    this.#socket = socket;
    this.#options = options;
    const { loadKey, duplex, clock } = options;
    this.#maxBytes = loadKey === null ? MAX_BYTES.verified : MAX_BYTES.unverified;
    this.#next =
      loadKey === null ? (data) => this.#receiveJoin(data, socket) : (data) => this.#receiveChallenge(data, loadKey);
    this.#deadline = scheduleDeadline(clock, TAP_HANDSHAKE_TIMEOUT_MS, () => this.#fail({ kind: 'TIMEOUT' }));
    socket.on('message', this.#onMessage);
    socket.once('close', this.#onClose);
    duplex.on('data', this.#onData);
  }

  readonly #onMessage = (data: Buffer): void => {
    const handle = this.#next;
    this.#next = null;
    if (handle === null) this.#fail({ kind: 'INVALID' });
    else handle(data);
  };

  readonly #onClose = (): void => void this.#end();

  /** Limits the bytes of incomplete messages as well, which emit no event. */
  readonly #onData = (chunk: Buffer): void => {
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes > this.#maxBytes) this.#fail({ kind: 'INVALID' });
  };

  #receiveChallenge(data: Buffer, loadKey: () => Promise<Buffer>): void {
    const challenge = parse(challengeSchema, data);
    if (challenge === null) {
      this.#fail({ kind: 'INVALID' });
      return;
    }
    loadKey().then(
      (key) => {
        if (this.#hasEnded) return;
        const nonces = { tap: challenge.nonce, swarmlens: createTapNonce() };
        this.#next = (proof) => this.#receiveProof(proof, key, nonces);
        const proof = createTapProof(key, 'swarmlens', nonces);
        this.#socket.send(JSON.stringify({ nonce: nonces.swarmlens, proof }));
      },
      (error: unknown) => this.#fail({ kind: 'UNAVAILABLE', error }),
    );
  }

  #receiveProof(data: Buffer, key: Buffer, nonces: { readonly tap: string; readonly swarmlens: string }): void {
    if (!verifyTapProof(key, 'tap', nonces, parse(proofSchema, data)?.proof)) {
      this.#fail({ kind: 'UNPROVED' });
      return;
    }
    this.#maxBytes = MAX_BYTES.verified;
    this.#socket.off('message', this.#onMessage);
    const sealed = new SealedSocket(this.#socket, new SealedChannel(key, 'swarmlens', nonces));
    sealed.once('message', (join: Buffer) => this.#receiveJoin(join, sealed));
  }

  #receiveJoin(data: Buffer, socket: WebSocket | SealedSocket): void {
    const join = parse(joinSchema, data);
    if (join === null) {
      this.#fail({ kind: 'INVALID' });
      return;
    }
    if (this.#end()) this.#options.onJoin(join, socket);
  }

  #fail(failure: TapHandshakeFailure): void {
    if (this.#end()) this.#options.onFailure(failure);
  }

  /** Returns false if the handshake had already ended. */
  #end(): boolean {
    if (this.#hasEnded) return false;
    this.#hasEnded = true;
    this.#deadline[Symbol.dispose]();
    this.#socket.off('message', this.#onMessage);
    this.#socket.off('close', this.#onClose);
    this.#options.duplex.off('data', this.#onData);
    return true;
  }
}

/** Returns null if the message is invalid. */
function parse<S extends z.ZodType>(schema: S, data: Buffer): z.output<S> | null {
  try {
    return schema.safeParse(JSON.parse(data.toString('utf8'))).data ?? null;
  } catch {
    return null;
  }
}
