import type { ConnectionSnapshot, ConnectionStatus, SnapshotSource } from '@swarmlens/client';
import { findElement, setBadge, setText } from '../ui/dom.js';
import type { Tone } from '../ui/format.js';

const TONES: Readonly<Record<ConnectionStatus, Tone>> = {
  IDLE: 'neutral',
  CONNECTING: 'busy',
  OPEN: 'good',
  RECONNECTING: 'bad',
  CLOSED: 'bad',
};

const COUNTDOWN_INTERVAL_MS = 500;

/** State of the connection, and the last problem. */
export class ConnectionPanel {
  readonly #pill = findElement('connection', HTMLParagraphElement);
  readonly #problem = findElement('problem', HTMLParagraphElement);
  readonly #connection: SnapshotSource<ConnectionSnapshot>;

  constructor(connection: SnapshotSource<ConnectionSnapshot>) {
    this.#connection = connection;
    connection.subscribe(() => this.#show());
    // The time until the next attempt changes without an event.
    setInterval(() => this.#show(), COUNTDOWN_INTERVAL_MS);
    this.#show();
  }

  /** Shows a problem. An empty text hides it. */
  showProblem(text: string): void {
    if (this.#problem.hidden !== (text === '')) this.#problem.hidden = text === '';
    setText(this.#problem, text);
  }

  #show(): void {
    const now = this.#connection.getSnapshot();
    setBadge(this.#pill, formatStatus(now), TONES[now.status]);
    document.body.classList.toggle('lost', now.status === 'RECONNECTING' || now.status === 'CLOSED');
    if (now.status === 'CLOSED') this.showProblem(now.error?.message ?? 'The connection is closed.');
  }
}

function formatStatus({ status, retryAt, latencyMs }: ConnectionSnapshot): string {
  switch (status) {
    case 'OPEN':
      return latencyMs === null ? 'live' : `live · ${latencyMs < 10 ? latencyMs.toFixed(1) : Math.round(latencyMs)} ms`;
    case 'RECONNECTING': {
      const seconds = retryAt === null ? 0 : Math.ceil((Date.parse(retryAt) - Date.now()) / 1_000);
      return seconds > 0 ? `disconnected · retrying in ${seconds} s` : 'disconnected · retrying';
    }
    case 'CLOSED':
      return 'closed';
    default:
      return 'connecting';
  }
}
