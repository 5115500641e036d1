import { type JSONRPCMessage, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

/**
 * Streamable HTTP transport that fails a request as soon as its response stream breaks. The official one lets the request
 * wait for its timeout.
 */
export class HttpTransport extends StreamableHTTPClientTransport {
  override async send(message: JSONRPCMessage | JSONRPCMessage[], options?: SendOptions): Promise<void> {
    if (Array.isArray(message) || !('method' in message && 'id' in message)) {
      await super.send(message, options);
      return;
    }
    const streamLost = new Promise<never>((_resolve, reject) => {
      const fail = (): void => reject(new Error('the connection was lost before the response'));
      // Deferred, so that a response at the end of the stream arrives first.
      const onRequestStreamEnd = (): void => void setImmediate(fail);
      super.send(message, { ...options, onRequestStreamEnd }).catch(reject);
    });
    // Never resolves. After a response, the official client ignores both this promise and its rejection.
    await streamLost;
  }
}

type SendOptions = Parameters<StreamableHTTPClientTransport['send']>[1];
