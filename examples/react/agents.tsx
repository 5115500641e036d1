import { useMemo, useState, useSyncExternalStore } from 'react';
import type { PerformanceMode, SwarmClient } from '@swarmlens/client';

const MODES: readonly PerformanceMode[] = ['LOW_FREQUENCY', 'NORMAL', 'HIGH_FREQUENCY'];

/** Live table of agents. The stream runs while the component is mounted. Also renders on a server. */
export function Agents({ client }: { readonly client: SwarmClient }) {
  const stream = useMemo(() => client.agents(), [client]);
  const { agents, status, error, rate } = useSyncExternalStore(
    stream.subscribe,
    stream.getSnapshot,
    stream.getServerSnapshot,
  );
  const { connection } = client;
  const { reason, latencyMs } = useSyncExternalStore(
    connection.subscribe,
    connection.getSnapshot,
    connection.getServerSnapshot,
  );
  const [mode, setMode] = useState<PerformanceMode>('NORMAL');

  const selectMode = (selected: PerformanceMode): void => {
    setMode(selected);
    stream.updateRequest({ mode: selected });
  };

  return (
    <section>
      <p role="status">
        {status}
        {reason !== null && `: ${reason}`}
        {error !== null && `: ${error.message}`}
        {latencyMs !== null && `, ${Math.round(latencyMs)} ms`}
        {rate !== null && `, ${Math.round(rate.effectiveHz)} Hz`}
      </p>
      {MODES.map((option) => (
        <button key={option} aria-pressed={option === mode} onClick={() => selectMode(option)}>
          {option}
        </button>
      ))}
      <table>
        <tbody>
          {[...agents.values()].map((agent) => (
            <tr key={agent.id}>
              <td>{agent.name}</td>
              <td>{agent.type}</td>
              <td>{agent.status}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
