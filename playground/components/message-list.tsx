import type { AgentMessage } from '@swarmlens/client';
import type { JSX } from 'preact';
import { AgentLink } from './basics.js';
import { formatTimeOfDay } from '../ui/format.js';

interface MessageListProps {
  /** Messages, the oldest first. */
  readonly messages: readonly AgentMessage[];
}

/** Messages between agents, the newest first. */
export function MessageList({ messages }: MessageListProps): JSX.Element {
  return (
    <ol class="messages">
      {[...messages].reverse().map(({ id, sentAt, fromAgentId, toAgentIds, text }) => (
        <li key={id}>
          <time dateTime={sentAt}>{formatTimeOfDay(sentAt)}</time>
          <span class="from">
            {fromAgentId === null ? 'a person' : <AgentLink agentId={fromAgentId} />} →{' '}
            {toAgentIds.length === 0
              ? 'all'
              : toAgentIds.map((agentId) => <AgentLink key={agentId} agentId={agentId} />)}
          </span>
          <span class="text">{text ?? 'The server does not show the text.'}</span>
        </li>
      ))}
    </ol>
  );
}
