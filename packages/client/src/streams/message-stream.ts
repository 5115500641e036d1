import type { GraphqlWsSession } from '../connection/graphql-ws-session.js';
import { AgentMessagesDocument, type AgentMessagesSubscription } from '../generated/operations.js';
import { BaseStream, type BaseStreamDeps } from './base-stream.js';
import type { AgentMessage, MessageStreamRequest, MessageStreamSnapshot } from './stream-types.js';

const MAX_MESSAGES = 100;

/** Stream of messages between agents. The server sends messages from the time of the subscription on, each of them once. */
export class SubscribedMessageStream extends BaseStream<MessageStreamSnapshot, AgentMessage> {
  readonly #request: MessageStreamRequest;

  constructor(deps: BaseStreamDeps, request: MessageStreamRequest, signal: AbortSignal | undefined) {
    super(deps, { status: 'IDLE', error: null, messages: [], missed: 0 }, signal);
    this.#request = request;
  }

  protected start(session: GraphqlWsSession): () => void {
    // The first message may arrive hours later.
    this.markLive();
    const { serverTypes = null, swarmIds = null } = this.#request;
    const sink = this.sink(({ agentMessages: message }: AgentMessagesSubscription) => {
      const { messages, missed } = this.getSnapshot();
      this.patchLiveSnapshot({
        messages: [...messages, message].slice(-MAX_MESSAGES),
        missed: missed + message.missed,
      });
      this.publish(message);
    });
    return session.start(AgentMessagesDocument, { serverTypes, swarmIds }, sink);
  }

  protected initialUpdate(): null {
    return null;
  }

  protected conflate(waiting: readonly AgentMessage[], next: AgentMessage): readonly AgentMessage[] {
    return [...waiting, next].slice(-MAX_MESSAGES);
  }
}
