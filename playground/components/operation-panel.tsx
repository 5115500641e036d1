import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { printOperation } from '../model/print-operation.js';
import { usePage } from './page-context.js';

/** Subscription for the shown agents as a GraphQL operation, to copy or to run in GraphiQL. */
export function OperationPanel(): JSX.Element {
  const { stream, view } = usePage();
  const copied = useSignal('');
  const { serverTypes, agentTypes, swarmIds } = view;
  const text = printOperation({
    ...stream.value.request,
    serverTypes: orNull(serverTypes),
    agentTypes: orNull(agentTypes),
    swarmIds: orNull(swarmIds),
  });
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => {
        copied.value = 'Copied.';
      },
      () => {
        copied.value = 'The browser denied access to the clipboard. Select the text to copy it.';
      },
    );
  };
  return (
    <details class="operation">
      <summary>As GraphQL</summary>
      <p class="hint">
        Subscription with the filters by server, type and swarm. This page itself receives all agents and filters them,
        so that its counts are complete.
      </p>
      {/* A long text scrolls, also with the keyboard. */}
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
      <p class="buttons">
        <button type="button" onClick={copy}>
          Copy
        </button>
        <a
          class="button"
          target="_blank"
          rel="noopener"
          href={`/graphql?${new URLSearchParams({ query: text }).toString()}`}
        >
          Open in GraphiQL
        </a>
        <span class="hint" role="status">
          {copied}
        </span>
      </p>
    </details>
  );
}

function orNull<T>(values: readonly T[]): readonly T[] | null {
  return values.length === 0 ? null : values;
}
