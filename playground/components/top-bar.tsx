import type { ConnectionSnapshot, ConnectionStatus } from '@swarmlens/client';
import type { JSX } from 'preact';
import iconUrl from '../icon.svg';
import { TABS, type Tab } from '../model/view-state.js';
import type { NotificationState } from '../state/wait-notifications.js';
import { formatMilliseconds, type Tone } from '../ui/format.js';
import { ViewLink } from './basics.js';
import { usePage } from './page-context.js';

const TONES: Readonly<Record<ConnectionStatus, Tone>> = {
  IDLE: 'neutral',
  CONNECTING: 'busy',
  OPEN: 'good',
  RECONNECTING: 'bad',
  CLOSED: 'bad',
};

const TAB_LABELS: Readonly<Record<Tab, string>> = { agents: 'Agents', tasks: 'Tasks', health: 'Health' };

/** Name of the page, state of the connection, tabs and settings. */
export function TopBar(): JSX.Element {
  const page = usePage();
  return (
    <header class="top">
      <h1>
        <img src={iconUrl} alt="" width="28" height="28" />
        swarmlens
      </h1>
      <ConnectionPill />
      <nav aria-label="Page">
        {TABS.map((tab) => (
          <ViewLink key={tab} change={{ tab }} isCurrent={page.view.tab === tab} class="tab">
            {TAB_LABELS[tab]}
            {tab === 'health' && <HealthMark />}
          </ViewLink>
        ))}
        <a class="tab" href="/graphql">
          GraphiQL
        </a>
      </nav>
      <div class="buttons">
        <NotificationButton />
        <button
          type="button"
          aria-label="Help"
          title="Help (?)"
          onClick={() => {
            page.isHelpOpen.value = true;
          }}
        >
          ?
        </button>
      </div>
    </header>
  );
}

function ConnectionPill(): JSX.Element {
  const { connection, nowMs } = usePage();
  const current = connection.value;
  return (
    <p id="connection" class="pill" role="status" data-tone={TONES[current.status]}>
      {formatConnection(current, nowMs.value)}
    </p>
  );
}

/** Number of servers that are not online. */
function HealthMark(): JSX.Element | null {
  const { health } = usePage();
  const failing = health.value.health?.servers.filter(({ status }) => status !== 'ONLINE').length ?? 0;
  if (failing === 0) return null;
  return (
    <span class="mark" title={`${failing} servers are not online`}>
      {failing}
    </span>
  );
}

const NOTIFICATION_TEXTS: Readonly<Record<NotificationState, { readonly text: string; readonly title: string }>> = {
  off: { text: 'Notify me', title: 'Shows a notification when an agent begins to wait for you' },
  on: { text: 'Notifications on', title: 'Turns notifications about waiting agents off' },
  denied: {
    text: 'Notifications blocked',
    title: 'The browser blocks notifications of this page. Permit them in its settings.',
  },
  unsupported: {
    text: 'No notifications',
    title: 'This browser offers no notifications on this address. Use HTTPS or localhost.',
  },
};

function NotificationButton(): JSX.Element {
  const { notifications, problem } = usePage();
  const { state } = notifications;
  const { text, title } = NOTIFICATION_TEXTS[state];
  const toggle = (): void => {
    notifications.toggle().catch(() => {
      problem.value = 'The browser did not ask for the permission to show notifications.';
    });
  };
  return (
    <button
      id="notify"
      type="button"
      aria-pressed={state === 'on'}
      disabled={state === 'unsupported' || state === 'denied'}
      title={title}
      onClick={toggle}
    >
      {text}
    </button>
  );
}

function formatConnection({ status, retryAt, latencyMs }: ConnectionSnapshot, nowMs: number): string {
  switch (status) {
    case 'OPEN':
      return latencyMs === null ? 'live' : `live · ${formatMilliseconds(latencyMs)}`;
    case 'RECONNECTING': {
      const seconds = retryAt === null ? 0 : Math.ceil((Date.parse(retryAt) - nowMs) / 1_000);
      return seconds > 0 ? `disconnected · retrying in ${seconds} s` : 'disconnected · retrying';
    }
    case 'CLOSED':
      return 'closed';
    default:
      return 'connecting';
  }
}
