import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import type { LargeMessages } from '../transports/http/large-messages.js';
import { TransportDecorator } from './transport-decorator.js';

/** Restores the messages that the official client has received as references. */
export class LargeMessageTransport extends TransportDecorator {
  readonly #largeMessages: LargeMessages;

  constructor(inner: Transport, largeMessages: LargeMessages) {
    super(inner);
    this.#largeMessages = largeMessages;
  }

  protected override received(
    message: JSONRPCMessage,
    extra: Parameters<NonNullable<Transport['onmessage']>>[1],
  ): void {
    super.received(this.#largeMessages.restore(message), extra);
  }
}
