import type { Health } from '@swarmlens/client';
import type { JSX } from 'preact';
import { Facts } from '../components/basics.js';
import { usePage } from '../components/page-context.js';
import {
  formatBytes,
  formatDuration,
  formatHertz,
  formatMilliseconds,
  formatPercent,
  UNKNOWN_TEXT,
} from '../ui/format.js';
import { type ChartLine, TimeChart } from './time-chart.js';

const DELAY_LINES: readonly ChartLine[] = [
  { name: 'p50', color: '--line-a', isFilled: true },
  { name: 'p99', color: '--line-b' },
];
const MEMORY_LINES: readonly ChartLine[] = [
  { name: 'process', color: '--line-a', isFilled: true },
  { name: 'heap', color: '--line-b' },
];

interface NodeCardProps {
  readonly health: Health;
}

/** Health of the connected node. */
export function NodeCard({ health }: NodeCardProps): JSX.Element {
  const { healthHistory } = usePage();
  const { connections, eventLoop, uptimeMs, limits } = health;
  const reached = limits.filter(({ hits }) => hits > 0).map(({ name, hits }) => `${name} (${hits})`);
  return (
    <section id="node" class="card" aria-labelledby="node-title">
      <h3 id="node-title">This node</h3>
      <Facts
        entries={[
          ['uptime', formatDuration(uptimeMs)],
          ['connections', connections.open],
          ['subscriptions', connections.subscriptions],
          ['slow clients', connections.slow],
          ['unsent data', formatBytes(connections.unsentBytes)],
          ['round trip p95', formatMilliseconds(connections.roundTripP95Ms)],
          ['mean rate', formatRate(connections)],
          ['event loop utilization', formatPercent(eventLoop.utilization)],
          ['limits reached', reached.length === 0 ? 'none' : reached.join(', ')],
        ]}
      />
      <div class="charts">
        <TimeChart
          title="event loop delay"
          lines={DELAY_LINES}
          format={formatMilliseconds}
          samples={healthHistory.eventLoop}
        />
        <TimeChart
          title="memory"
          lines={MEMORY_LINES}
          format={(value) => (value === null ? UNKNOWN_TEXT : formatBytes(value))}
          samples={healthHistory.memory}
        />
      </div>
    </section>
  );
}

function formatRate({ meanEffectiveHz, meanRequestedHz }: Health['connections']): string {
  return meanRequestedHz === null ? UNKNOWN_TEXT : `${formatHertz(meanEffectiveHz)} of ${formatHertz(meanRequestedHz)}`;
}
