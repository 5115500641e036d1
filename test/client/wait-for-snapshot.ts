import { WebSocket } from 'ws';
import type { SnapshotSource } from '@swarmlens/client';
import { ChangeNotifier } from '../support/wait.js';

/** Resolves with the first snapshot that matches, checked at each change. Counts as an observer of a stream. */
export async function until<TSnapshot>(
  { subscribe, getSnapshot }: SnapshotSource<TSnapshot>,
  isMatch: (snapshot: TSnapshot) => boolean,
): Promise<TSnapshot> {
  const changes = new ChangeNotifier();
  const unsubscribe = subscribe(() => changes.notify());
  try {
    let snapshot = getSnapshot();
    const isReached = (): boolean => {
      snapshot = getSnapshot();
      return isMatch(snapshot);
    };
    await changes.until(isReached, { state: () => snapshot });
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
  /** Received messages as text. */
  readonly received: string[];
  readonly sockets: WebSocket[];
}

/** Creates a WebSocket class that records the messages of its sockets. */
export function recorder(): Recorder {
  const record: Pick<Recorder, 'sent' | 'received' | 'sockets'> = { sent: [], received: [], sockets: [] };
  class Recorded extends WebSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol);
      record.sockets.push(this);
      this.on('message', (data: Buffer) => record.received.push(data.toString()));
    }

    override send(data: string): void {
      record.sent.push(JSON.parse(data) as SentMessage); // of the protocol
      super.send(data);
    }
  }
  return { ...record, webSocketImpl: Recorded };
}

/** Counts how often an operation of this name was sent. */
export function countSent({ sent }: Pick<Recorder, 'sent'>, name: string): number {
  return sent.filter(({ payload }) => payload?.query?.includes(` ${name}(`) === true).length;
}
