import { type Signal, signal } from '@preact/signals';
import type { Agent } from '@swarmlens/client';
import type { Wait } from '../model/waits.js';
import { formatActivity } from '../ui/format.js';

/** State of the notifications: `unsupported` without the browser's API, for example on an insecure origin. */
export type NotificationState = 'unsupported' | 'off' | 'on' | 'denied';

const STORAGE_KEY = 'swarmlens.notifications';

/** Notifications of the browser about agents that begin to wait for a person. Off until the user turns them on. */
export class WaitNotifications {
  readonly #state: Signal<NotificationState>;
  readonly #shown = new Map<string, Notification>();
  readonly #onClick: (agentId: string) => void;

  constructor(onClick: (agentId: string) => void) {
    this.#onClick = onClick;
    this.#state = signal(readState());
  }

  get state(): NotificationState {
    return this.#state.value;
  }

  /** Turns notifications on, after the user has permitted them, or off. */
  async toggle(): Promise<void> {
    if (this.#state.peek() === 'on') {
      this.#state.value = 'off';
      storeChoice(false);
      return;
    }
    if (this.#state.peek() === 'unsupported') return;
    const permission = await Notification.requestPermission();
    this.#state.value = permission === 'granted' ? 'on' : permission === 'denied' ? 'denied' : 'off';
    storeChoice(this.#state.peek() === 'on');
  }

  /** Shows a notification for each wait that has begun, and closes those of waits that have ended. */
  update(begun: readonly Wait[], agents: ReadonlyMap<string, Agent>): void {
    for (const [id, notification] of this.#shown) {
      if (agents.get(id)?.status === 'WAITING') continue;
      notification.close();
      this.#shown.delete(id);
    }
    if (this.#state.peek() !== 'on') return;
    for (const { agent } of begun) this.#show(agent);
  }

  #show(agent: Agent): void {
    const notification = new Notification(`${agent.name} is waiting for you`, {
      body: `${formatActivity(agent)} · ${agent.serverId}`,
      // A later wait of the same agent replaces the notification.
      tag: agent.id,
    });
    this.#shown.set(agent.id, notification);
    notification.addEventListener('click', () => {
      window.focus();
      notification.close();
      this.#onClick(agent.id);
    });
  }
}

function readState(): NotificationState {
  if (!('Notification' in window)) return 'unsupported';
  if (Notification.permission === 'denied') return 'denied';
  return Notification.permission === 'granted' && readChoice() ? 'on' : 'off';
}

function readChoice(): boolean {
  try {
    return localStorage.getItem(STORAGE_KEY) === 'on';
  } catch {
    return false; // The browser forbids the storage.
  }
}

function storeChoice(isOn: boolean): void {
  try {
    if (isOn) localStorage.setItem(STORAGE_KEY, 'on');
    else localStorage.removeItem(STORAGE_KEY);
  } catch {
    // The browser forbids the storage: the choice lasts until the page is closed.
  }
}
