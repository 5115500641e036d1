import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Badge } from '../components/basics.js';
import { usePage } from '../components/page-context.js';
import { formatEnumValue, formatError, formatTimeOfDay, HEALTH_TONES, NOTICE_TONES } from '../ui/format.js';
import { NodeCard } from './node-card.js';
import { ServerCard } from './server-card.js';

const COUNTDOWN_INTERVAL_MS = 200;
const MAX_NOTICES = 40;

/** Health of the servers and the connected node, and notices. */
export function HealthTab(): JSX.Element {
  const { health: stream } = usePage();
  const { health, error } = stream.value;
  const receivedAtMs = Date.now();
  const countedMs = useSignal(0);
  useEffect(() => {
    // Countdowns continue between two polls.
    countedMs.value = 0;
    const timer = setInterval(() => {
      countedMs.value = Date.now() - receivedAtMs;
    }, COUNTDOWN_INTERVAL_MS);
    return () => clearInterval(timer);
  }, [health]);
  const nowMs = health === null ? 0 : Date.parse(health.timestamp) + countedMs.value;
  return (
    <section id="health" class="health" aria-labelledby="health-title">
      <div class="row-line">
        <h2 id="health-title">Health</h2>
        <p id="health-status" class="pill" data-tone={health === null ? 'neutral' : HEALTH_TONES[health.status]}>
          {health === null ? 'unknown' : formatEnumValue(health.status)}
        </p>
        <RefreshButton />
      </div>
      {(health === null || health.servers.length === 0 || error !== null) && (
        <p id="health-note" class="empty">
          {formatNote(health?.servers.length ?? null, error)}
        </p>
      )}
      <ul id="servers" class="servers">
        {health?.servers.map((server) => (
          <ServerCard key={server.id} server={server} serverNowMs={nowMs} />
        ))}
      </ul>
      <div class="pair">
        {health !== null && <NodeCard health={health} />}
        <Notices />
      </div>
    </section>
  );
}

function RefreshButton(): JSX.Element {
  const page = usePage();
  const text = useSignal('');
  const isRunning = useSignal(false);
  const finish = (result: string): void => {
    text.value = result;
    isRunning.value = false;
  };
  const refresh = (): void => {
    isRunning.value = true;
    text.value = 'Refreshing …';
    page.refreshDiscovery().then(
      (result) => finish(`${formatTimeOfDay(Date.now())}: ${result}`),
      (error: unknown) => finish(formatError(error)),
    );
  };
  return (
    <>
      <button id="refresh" type="button" disabled={isRunning} onClick={refresh}>
        Refresh discovery
      </button>
      <p id="refreshed" class="hint" role="status">
        {text}
      </p>
    </>
  );
}

/** Last notices, the newest first. */
function Notices(): JSX.Element {
  const { notices: stream } = usePage();
  const { notices, missed } = stream.value;
  return (
    <section class="card" aria-labelledby="notices-title">
      <h3 id="notices-title">Notices</h3>
      {notices.length + missed === 0 ? (
        <p class="hint">None since this page was opened.</p>
      ) : (
        // A long list scrolls, also with the keyboard.
        <ol id="notices" class="notices" aria-live="polite" tabIndex={0} aria-labelledby="notices-title">
          {[...notices]
            .slice(-MAX_NOTICES)
            .reverse()
            .map(({ severity, message, serverId, timestamp }, index) => (
              <li key={`${timestamp} ${notices.length - index}`}>
                <time dateTime={timestamp}>{formatTimeOfDay(timestamp)}</time>
                <Badge tone={NOTICE_TONES[severity]}>{formatEnumValue(severity)}</Badge>
                <span>{[serverId, message].filter((part) => part !== null).join(': ')}</span>
              </li>
            ))}
          {missed > 0 && <li class="hint">{missed} more notices were dropped.</li>}
        </ol>
      )}
    </section>
  );
}

function formatNote(servers: number | null, error: unknown): string {
  if (error !== null) return `Health data is unavailable: ${formatError(error)}`;
  if (servers === null) return 'Waiting for the server.';
  return 'No servers. Start swarmlens with --config FILE or --demo, or connect a tap.';
}
