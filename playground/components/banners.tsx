import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { usePage } from './page-context.js';

/** Request for a token, problems, and a note about simulated servers. */
export function Banners(): JSX.Element {
  return (
    <>
      <TokenForm />
      <Problem />
      <SimulatedNote />
    </>
  );
}

function TokenForm(): JSX.Element | null {
  const { token } = usePage();
  const input = useRef<HTMLInputElement>(null);
  const text = useSignal('');
  const reason = token.reason.value;
  useEffect(() => {
    if (reason !== null) input.current?.focus();
  }, [reason]);
  if (reason === null) return null;
  const submit = (event: Event): void => {
    event.preventDefault();
    const entered = text.value.trim();
    text.value = '';
    token.enter(entered);
  };
  return (
    <form id="token" class="banner" aria-label="Token" onSubmit={submit}>
      <p>{reason}</p>
      <label>
        Token{' '}
        <input
          ref={input}
          type="password"
          autocomplete="off"
          required
          value={text}
          onInput={({ currentTarget }) => {
            text.value = currentTarget.value;
          }}
        />
      </label>
      <button type="submit">Continue</button>
    </form>
  );
}

function Problem(): JSX.Element | null {
  const { connection, problem } = usePage();
  const { status, error } = connection.value;
  const text = status === 'CLOSED' ? (error?.message ?? 'The connection is closed.') : problem.value;
  if (text === null) return null;
  return (
    <p id="problem" class="banner" data-tone="bad" role="alert">
      {text}
    </p>
  );
}

function SimulatedNote(): JSX.Element | null {
  const { health } = usePage();
  const servers = health.value.health?.servers ?? [];
  const simulated = servers.filter((server) => server.simulated).length;
  if (simulated === 0) return null;
  return (
    <p id="simulated" class="banner">
      {formatSimulatedNote(simulated, servers.length)}
    </p>
  );
}

function formatSimulatedNote(simulated: number, all: number): string {
  const which =
    simulated === all ? 'All servers are' : `${simulated} of ${all} servers ${simulated === 1 ? 'is a' : 'are'}`;
  return `Simulated data. ${which} simulator${simulated === 1 && all > 1 ? '' : 's'}: their agents are not real.`;
}
