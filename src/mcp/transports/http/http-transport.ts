import { type JSONRPCMessage, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

/**
 * The official client's, which lets a call wait for its timeout when the stream that its answer was to come over breaks
 * off: here it fails at once.
 */
export class HttpTransport extends StreamableHTTPClientTransport {
  override async send(message: JSONRPCMessage | JSONRPCMessage[], options?: SendOptions): Promise<void> {
    if (Array.isArray(message) || !('method' in message && 'id' in message)) {
      await super.send(message, options);
      return;
    }
    const brokenOff = new Promise<never>((_resolve, reject) => {
      const fail = (): void => reject(new Error('the connection broke off before the answer'));
      // Later than an answer that came with the end of the stream.
      const onRequestStreamEnd = (): void => void setImmediate(fail);
      super.send(message, { ...options, onRequestStreamEnd }).catch(reject);
    });
    // Rejects after an answer, too, when nobody listens any more; never resolves, and nobody waits for that.
    await brokenOff;
  }
}

type SendOptions = Parameters<StreamableHTTPClientTransport['send']>[1];
