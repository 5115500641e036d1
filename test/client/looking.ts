import { WebSocket } from 'ws';
import type { Observable } from '../../src/client/index.js';
import { ChangeNotifier } from '../support/wait.js';

/** Resolves with the first snapshot of which `isReached`, checked after each change. Counts as a subscriber. */
export async function until<TSnapshot>(
  { subscribe, getSnapshot }: Observable<TSnapshot>,
  isReached: (snapshot: TSnapshot) => boolean,
): Promise<TSnapshot> {
  const changes = new ChangeNotifier();
  const unsubscribe = subscribe(() => changes.notify());
  try {
    let snapshot = getSnapshot();
    const isReachedNow = (): boolean => {
      snapshot = getSnapshot();
      return isReached(snapshot);
    };
    await changes.until(isReachedNow, { state: () => snapshot });
    return snapshot;
  } finally {
    unsubscribe();
  }
}

export interface SentMessage {
  readonly id?: string;
  readonly type: string;
  readonly payload?: { readonly query?: string; readonly variables?: Readonly<Record<string, unknown>> };
}

export interface Recorder {
  readonly webSocketImpl: new (url: string, protocol: string) => WebSocket;
  readonly sent: SentMessage[];
  /** Texts, as they came. */
  readonly received: string[];
  readonly sockets: WebSocket[];
}

/** A WebSocket class that remembers what goes through the sockets made of it. */
export function recorder(): Recorder {
  const made: Pick<Recorder, 'sent' | 'received' | 'sockets'> = { sent: [], received: [], sockets: [] };
  class Recorded extends WebSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol);
      made.sockets.push(this);
      this.on('message', (data: Buffer) => made.received.push(data.toString()));
    }

    override send(data: string): void {
      made.sent.push(JSON.parse(data) as SentMessage); // of the protocol
      super.send(data);
    }
  }
  return { ...made, webSocketImpl: Recorded };
}

/** How often an operation of that name was sent. */
export function countOf({ sent }: Pick<Recorder, 'sent'>, name: string): number {
  return sent.filter(({ payload }) => payload?.query?.includes(` ${name}(`) === true).length;
}
