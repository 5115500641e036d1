import type { JSX } from 'preact';
import type { Wait } from '../model/waits.js';
import { formatActivity } from '../ui/format.js';
import { InferredMark } from './agent-list.js';
import { Age, AgentName, ViewLink } from './basics.js';
import { usePage } from './page-context.js';

/** Maximum number of shown waits. */
const MAX_WAITS = 50;

/** Agents that wait for a person, the longest wait first. */
export function WaitingList(): JSX.Element {
  const { waits, stream } = usePage();
  const all = waits.value;
  return (
    <section id="waiting" class="waiting panel" aria-labelledby="waiting-title" data-empty={all.length === 0}>
      <h2 id="waiting-title">
        Waiting for you{' '}
        {all.length > 0 && (
          <span class="badge" data-tone="warning">
            {all.length}
          </span>
        )}
      </h2>
      {all.length === 0 ? (
        <p class="hint">{stream.value.cursor === null ? 'Waiting for the server.' : 'No agent waits for you.'}</p>
      ) : (
        <ol>
          {all.slice(0, MAX_WAITS).map((wait) => (
            <WaitItem key={wait.agent.id} wait={wait} />
          ))}
        </ol>
      )}
      {all.length > MAX_WAITS && (
        <ViewLink change={{ states: ['waiting'], sort: 'since' }} isReset>
          {all.length - MAX_WAITS} more
        </ViewLink>
      )}
    </section>
  );
}

interface WaitItemProps {
  readonly wait: Wait;
}

function WaitItem({ wait: { agent, sinceMs, isInferred } }: WaitItemProps): JSX.Element {
  const page = usePage();
  return (
    <li>
      <ViewLink
        change={{ tab: 'agents', agentId: agent.id }}
        isCurrent={page.view.agentId === agent.id}
        class="wait"
        label={`${page.fullNameOf(agent.id)}: ${formatActivity(agent)}`}
        onFollow={() => page.show(agent.id)}
      >
        <AgentName agentId={agent.id} />
        <span class="age">
          <Age at={sinceMs} />
        </span>
        <span class="reason">
          {formatActivity(agent)}
          {isInferred && <InferredMark />}
        </span>
        <span class="hint origin">{agent.workspace ?? agent.serverId}</span>
      </ViewLink>
    </li>
  );
}
