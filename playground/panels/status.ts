import type { ConnectionState } from '../connection.js';
import { find, setText, setTone, type Tone } from '../dom.js';

const STATES: Readonly<Record<ConnectionState, { readonly text: string; readonly tone: Tone }>> = {
  connecting: { text: 'connecting', tone: 'busy' },
  live: { text: 'live', tone: 'good' },
  lost: { text: 'disconnected: last known values, trying again', tone: 'bad' },
};

/** Whether the page is live, and what went wrong. */
export class StatusPanel {
  readonly #connection = find('connection', HTMLParagraphElement);
  readonly #problem = find('problem', HTMLParagraphElement);

  show(state: ConnectionState): void {
    const { text, tone } = STATES[state];
    setText(this.#connection, text);
    setTone(this.#connection, tone);
    document.body.classList.toggle('lost', state === 'lost');
    if (state === 'live') this.#problem.hidden = true;
  }

  tell(error: unknown): void {
    setText(this.#problem, error instanceof Error ? error.message : 'The connection was refused.');
    this.#problem.hidden = false;
  }

  /** What was told is over. */
  clear(): void {
    this.#problem.hidden = true;
  }
}
