import { WebSocket } from 'ws';
import type { WsEndpoint } from '../../endpoint.js';
import { extractCredentials } from '../http/credentials.js';
import { MAX_FRAME_BYTES } from './websocket-transport.js';

/**
 * Opens a WebSocket without following redirects. The socket is paused, so that early messages wait for their listener.
 * @throws the reason of `signal` if it is aborted, or the connection error
 */
export async function openWebSocket(endpoint: WsEndpoint, signal: AbortSignal): Promise<WebSocket> {
  signal.throwIfAborted();
  const { url, headers } = extractCredentials(endpoint);
  const socket = new WebSocket(url, {
    headers,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
    followRedirects: false,
    // Some relays split frames within a character.
    skipUTF8Validation: true,
  });
  const abort = (): void => socket.terminate();
  signal.addEventListener('abort', abort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => {
        socket.pause();
        resolve();
      });
      socket.once('error', reject);
    });
    return socket;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
