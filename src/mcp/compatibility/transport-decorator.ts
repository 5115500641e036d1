import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';

type Received = NonNullable<Transport['onmessage']>;
type SendOptions = Parameters<Transport['send']>[1];

/** Base class of transports that wrap another transport. Passes everything through unchanged. */
export abstract class TransportDecorator implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport['onmessage'];
  protected readonly inner: Transport;

  constructor(inner: Transport) {
    this.inner = inner;
    inner.onclose = () => this.onclose?.();
    inner.onerror = (error) => this.onerror?.(error);
    inner.onmessage = (message, extra) => this.received(message, extra);
  }

  get sessionId(): string | undefined {
    return this.inner.sessionId;
  }

  /** Whether each request has a stream of its own, whose end cancels the request. */
  get hasPerRequestStream(): boolean {
    return this.inner.hasPerRequestStream ?? false;
  }

  start(): Promise<void> {
    return this.inner.start();
  }

  send(message: JSONRPCMessage, options?: SendOptions): Promise<void> {
    return this.inner.send(message, options);
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  setProtocolVersion(version: string): void {
    this.inner.setProtocolVersion?.(version);
  }

  setSupportedProtocolVersions(versions: string[]): void {
    this.inner.setSupportedProtocolVersions?.(versions);
  }

  protected received(message: JSONRPCMessage, extra: Parameters<Received>[1]): void {
    this.onmessage?.(message, extra);
  }
}
