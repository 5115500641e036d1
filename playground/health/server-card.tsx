import type { CircuitBreakerFragment, Health, ToolHealthFragment } from '@swarmlens/client';
import type { JSX } from 'preact';
import { Badge, Facts } from '../components/basics.js';
import { usePage } from '../components/page-context.js';
import { formatBreaker } from '../model/format-breaker.js';
import {
  CIRCUIT_TONES,
  formatDuration,
  formatEnumValue,
  formatHertz,
  formatMilliseconds,
  formatPercent,
  formatTimeOfDay,
  SERVER_TONES,
  SERVER_TYPE_LABELS,
  UNKNOWN_TEXT,
} from '../ui/format.js';
import { type ChartLine, TimeChart } from './time-chart.js';

type Server = Health['servers'][number];

const LATENCY_LINES: readonly ChartLine[] = [
  { name: 'p50', color: '--line-a', isFilled: true },
  { name: 'p95', color: '--line-b' },
  { name: 'p99', color: '--line-c' },
];
const POLL_LINES: readonly ChartLine[] = [
  { name: 'actual', color: '--line-a', isFilled: true },
  { name: 'required', color: '--line-b' },
];

interface ServerCardProps {
  readonly server: Server;
  /** Current time of the server's clock, in milliseconds since the epoch. */
  readonly serverNowMs: number;
}

/** Status, latency, polling, replicas and tools of one server. */
export function ServerCard({ server, serverNowMs }: ServerCardProps): JSX.Element {
  const { healthHistory } = usePage();
  const history = healthHistory.server(server.id);
  const { type, transport, version, status, circuitBreaker, stale, staleSince, simulated, polling } = server;
  const name = version === null ? server.name : `${server.name} ${version}`;
  const ageOf = (at: string): string => formatDuration(Math.max(0, serverNowMs - Date.parse(at)));
  return (
    <li class={stale ? 'card server stale' : 'card server'}>
      <h3>{server.id}</h3>
      <p class="hint">{[SERVER_TYPE_LABELS[type], formatEnumValue(transport), name].join(' · ')}</p>
      <p class="badges">
        <Badge tone={SERVER_TONES[status]}>{formatEnumValue(status)}</Badge>
        <BreakerBadge breaker={circuitBreaker} serverNowMs={serverNowMs} />
        {stale && <Badge tone="warning">{staleSince === null ? 'stale' : `stale for ${ageOf(staleSince)}`}</Badge>}
        {simulated && <Badge tone="neutral">simulated</Badge>}
      </p>
      {server.lastError !== null && <p class="error">{server.lastError}</p>}
      <Facts
        entries={[
          ['agents', server.agentCount],
          ['connected for', server.connectedAt === null ? UNKNOWN_TEXT : ageOf(server.connectedAt)],
          ['last response', server.lastSeenAt === null ? UNKNOWN_TEXT : `${ageOf(server.lastSeenAt)} ago`],
          ['time spent polling', polling === null ? null : formatPercent(polling.timeShare)],
        ]}
      />
      <div class="charts">
        <TimeChart title="latency" lines={LATENCY_LINES} format={formatMilliseconds} samples={history.latency} />
        <TimeChart title="polls" lines={POLL_LINES} format={formatHertz} samples={history.polls} />
      </div>
      {server.replicas.length > 1 && <ReplicaTable server={server} serverNowMs={serverNowMs} />}
      <ToolTable tools={server.tools} health={server.toolHealth} />
    </li>
  );
}

interface BreakerBadgeProps {
  readonly breaker: CircuitBreakerFragment;
  readonly serverNowMs: number;
}

/** Badge of a circuit breaker. Counts down to the next probe while the breaker is open. */
function BreakerBadge({ breaker, serverNowMs }: BreakerBadgeProps): JSX.Element {
  return <Badge tone={CIRCUIT_TONES[breaker.state]}>{formatBreaker(breaker, serverNowMs)}</Badge>;
}

function ReplicaTable({ server, serverNowMs }: ServerCardProps): JSX.Element {
  return (
    <Table label="Replicas" columns={['Replica', 'Status', 'Calls', 'p95', 'Restarts', 'Breaker']}>
      {server.replicas.map(({ id, status, lastError, inUse, inFlight, latency, restarts, circuitBreaker }) => (
        <tr key={id}>
          <th scope="row">{id}</th>
          <td>
            <Badge tone={SERVER_TONES[status]} title={lastError ?? undefined}>
              {formatEnumValue(status)}
            </Badge>
          </td>
          <td>{inUse ? `in use, ${inFlight} in flight` : 'standby'}</td>
          <td class="number">{formatMilliseconds(latency.p95Ms)}</td>
          <td class="number">{restarts}</td>
          <td>
            <BreakerBadge breaker={circuitBreaker} serverNowMs={serverNowMs} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

interface ToolTableProps {
  readonly tools: readonly string[];
  readonly health: readonly ToolHealthFragment[];
}

/** Tools of a server, with statistics of those that were called. */
function ToolTable({ tools, health }: ToolTableProps): JSX.Element {
  const failing = health.filter(({ consecutiveFailures }) => consecutiveFailures > 0).length;
  const called = new Set(health.map(({ name }) => name));
  const others = tools.filter((name) => !called.has(name));
  return (
    <details class="tools">
      <summary>
        {tools.length} tools{failing === 0 ? '' : `, ${failing} failing`}
      </summary>
      <Table label="Called tools" columns={['Tool', 'Calls', 'Failed', 'p95', 'Last error']}>
        {health.map(({ name, calls, failures, consecutiveFailures, latency, lastError, lastFailedAt }) => (
          <tr key={name} class={consecutiveFailures > 0 ? 'failing' : undefined}>
            <th scope="row">{name}</th>
            <td class="number">{calls}</td>
            <td class="number">{failures}</td>
            <td class="number">{formatMilliseconds(latency.p95Ms)}</td>
            <td class="wide">
              {lastError !== null && `${lastFailedAt === null ? '' : `${formatTimeOfDay(lastFailedAt)} `}${lastError}`}
            </td>
          </tr>
        ))}
      </Table>
      {others.length > 0 && <p class="hint">Not called: {others.join(', ')}</p>}
    </details>
  );
}

interface TableProps {
  readonly label: string;
  readonly columns: readonly string[];
  readonly children: JSX.Element[];
}

/** Table that scrolls sideways, also with the keyboard. */
function Table({ label, columns, children }: TableProps): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
