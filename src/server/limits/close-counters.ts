/** Side that closed a connection. */
export type ClosingSide = 'client' | 'server';

/** Reason for which a stream of server-sent events ended. */
export type StreamEnd = 'completed' | 'client' | 'unresponsive' | 'shutdown';

/** Protocol of a connection that was closed because its client neither read nor answered. */
export type UnresponsiveProtocol = 'websocket' | 'sse' | 'http';

/** Codes with a label of their own. Clients may send any other code from 3000 to 4999. */
const CODES: ReadonlySet<number> = new Set([
  1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011, 1012, 1013, 4400, 4401, 4403, 4406, 4408, 4409, 4429,
  4500,
]);

export interface Count {
  readonly labels: Readonly<Record<string, string>>;
  readonly count: number;
}

/** Counts closed and rejected connections since the start. The number of labels is bounded. */
export class CloseCounters {
  readonly #webSockets = new LabeledCounts();
  readonly #taps = new LabeledCounts();
  readonly #rejectedUpgrades = new LabeledCounts();
  readonly #streams = new LabeledCounts();
  readonly #unresponsive = new LabeledCounts();

  /** @param code close code that the closing side sent, or 1006 if no side sent one */
  webSocketClosed(code: number, side: ClosingSide): void {
    this.#webSockets.add({ code: toCodeLabel(code), side });
  }

  /** @param code close code that the tap sent, or 1006 if it sent none */
  tapClosed(code: number): void {
    this.#taps.add({ code: toCodeLabel(code) });
  }

  /** @param status HTTP status of the response */
  upgradeRejected(status: number): void {
    this.#rejectedUpgrades.add({ status: `${status}` });
  }

  streamEnded(reason: StreamEnd): void {
    this.#streams.add({ reason });
  }

  unresponsive(protocol: UnresponsiveProtocol): void {
    this.#unresponsive.add({ protocol });
  }

  /** Number of closed WebSockets by code and side. */
  get webSockets(): readonly Count[] {
    return this.#webSockets.all();
  }

  /** Number of closed WebSockets of taps by code. */
  get taps(): readonly Count[] {
    return this.#taps.all();
  }

  /** Number of rejected upgrade requests by HTTP status. */
  get rejectedUpgrades(): readonly Count[] {
    return this.#rejectedUpgrades.all();
  }

  /** Number of ended streams of server-sent events by reason. */
  get streams(): readonly Count[] {
    return this.#streams.all();
  }

  /** Number of connections that were closed because their client neither read nor answered, by protocol. */
  get unresponsiveClients(): readonly Count[] {
    return this.#unresponsive.all();
  }
}

function toCodeLabel(code: number): string {
  return CODES.has(code) ? `${code}` : 'other';
}

class LabeledCounts {
  readonly #counts = new Map<string, { readonly labels: Count['labels']; count: number }>();

  add(labels: Count['labels']): void {
    const key = JSON.stringify(labels);
    const entry = this.#counts.get(key);
    if (entry === undefined) this.#counts.set(key, { labels, count: 1 });
    else entry.count += 1;
  }

  all(): readonly Count[] {
    return [...this.#counts.values()];
  }
}
