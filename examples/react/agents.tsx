import { useMemo, useState, useSyncExternalStore } from 'react';
import type { PerformanceMode, SwarmClient } from '@swarmlens/client';

const MODES: readonly PerformanceMode[] = ['LOW_FREQUENCY', 'NORMAL', 'HIGH_FREQUENCY'];

/** A table of agents. The stream runs while the component is on the page. */
export function Agents({ client }: { readonly client: SwarmClient }) {
  const stream = useMemo(() => client.agents(), [client]);
  const { agents, status, error, rate } = useSyncExternalStore(stream.subscribe, stream.getSnapshot);
  const { reason, latencyMs } = useSyncExternalStore(client.connection.subscribe, client.connection.getSnapshot);
  const [mode, setMode] = useState<PerformanceMode>('NORMAL');

  const choose = (chosen: PerformanceMode): void => {
    setMode(chosen);
    stream.updateRequest({ mode: chosen });
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
      {MODES.map((one) => (
        <button key={one} aria-pressed={one === mode} onClick={() => choose(one)}>
          {one}
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
