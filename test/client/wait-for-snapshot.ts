import { WebSocket } from 'ws';
import type { SnapshotSource } from '@swarmlens/client';

/** Resolves with the first snapshot that matches, checked at each change. Counts as an observer of a stream. */
export function until<TSnapshot>(
  { subscribe, getSnapshot }: SnapshotSource<TSnapshot>,
  isMatch: (snapshot: TSnapshot) => boolean,
): Promise<TSnapshot> {
  return new Promise((resolve, reject) => {
    const check = (): boolean => {
      try {
        const snapshot = getSnapshot();
        if (!isMatch(snapshot)) return false;
        resolve(snapshot);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
      return true;
    };
    const unsubscribe = subscribe(() => {
      if (check()) unsubscribe();
    });
    if (check()) unsubscribe();
  });
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
