import { afterEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock, TAP_HANDSHAKE_TIMEOUT_MS } from '../../src/shared/index.js';
import { Uplink } from '../../src/tap/uplink/uplink.js';
import { ChangeNotifier, waitUntil } from '../support/wait.js';
import { TAP_KEY_FILE } from '../support/tap-key-file.js';
import { deaf, TapReceiver } from './uplink-receiver.js';

interface Pause {
  readonly delayMs: number;
  readonly end: () => void;
}

/** Clock that records each requested delay and lets the test end it. */
class Pauses {
  readonly clock: Clock;
  readonly #pauses: Pause[] = [];
  readonly #changes = new ChangeNotifier();

  constructor() {
    this.clock = {
      ...systemClock,
      schedule: (delayMs, end) => {
        this.#pauses.push({ delayMs, end });
        this.#changes.notify();
        return { [Symbol.dispose]: () => undefined };
      },
    };
  }

  /** Returns the next delay between two attempts to connect, which is none of the deadlines of a connection. */
  async nextBackoff(): Promise<Pause> {
    for (;;) {
      const pause = await this.#next();
      if (pause.delayMs !== TAP_HANDSHAKE_TIMEOUT_MS && pause.delayMs !== 20_000) return pause;
    }
  }

  async #next(): Promise<Pause> {
    await this.#changes.until(() => this.#pauses.length > 0, { state: () => 'no pause has begun' });
    const pause = this.#pauses.shift();
    if (pause === undefined) throw new Error('no pause');
    return pause;
  }
}

const NOTHING = { onMessage: () => undefined, onClose: () => undefined };
const uplinks: Uplink[] = [];

interface UplinkSetup {
  readonly clock?: Clock;
  readonly random?: number;
  readonly keyFile?: string | null;
  readonly token?: string | null;
  readonly notify?: (text: string) => void;
}

function createUplink(url: string, setup: UplinkSetup = {}): Uplink {
  const { clock = systemClock, random = 1, keyFile = TAP_KEY_FILE, token = null, notify = () => undefined } = setup;
  const join = { server: 'mine', instance: 'one', allowTools: [] };
  const options = { url: url.replace('http', 'ws'), join, token, keyFile, notify, clock, random: () => random };
  const uplink = new Uplink(options, NOTHING);
  uplinks.push(uplink);
  return uplink;
}

afterEach(() => {
  for (const one of uplinks.splice(0)) one.end();
});

describe('Uplink', () => {
  test.each([
    [1, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]],
    [0, [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]],
  ])('retries an unreachable server with a growing backoff (random value %i)', async (random, expected) => {
    const pauses = new Pauses();
    createUplink('ws://127.0.0.1:9', { clock: pauses.clock, random });
    const delays: number[] = [];
    while (delays.length < expected.length) {
      const { delayMs, end } = await pauses.nextBackoff();
      delays.push(delayMs);
      end();
    }
    expect(delays).toEqual(expected);
  });

  test('retries after five minutes when the server refuses the connection', async () => {
    await using receiver = await TapReceiver.start(() => undefined, { refuses: true });
    const pauses = new Pauses();
    createUplink(receiver.url, { clock: pauses.clock });
    expect((await pauses.nextBackoff()).delayMs).toBe(300_000);
  });

  test('retries after five minutes when the server closes the connection with 4409', async () => {
    await using receiver = await TapReceiver.start((socket) => socket.close(4409, 'the name is taken'));
    const pauses = new Pauses();
    createUplink(receiver.url, { clock: pauses.clock });
    expect((await pauses.nextBackoff()).delayMs).toBe(300_000);
  });

  test('drops messages and counts them when the server does not read and 4 MB are buffered', async () => {
    await using receiver = await TapReceiver.start(deaf);
    const one = createUplink(receiver.url);
    await receiver.until(() => receiver.joins[0]);
    await waitUntil(() => one.isOpen, { state: () => ({ closes: receiver.closes }) });
    for (let count = 0; count < 64; count += 1) one.send({ method: 'x', params: 'x'.repeat(1024 * 1024) });
    // The fifth message exceeds the mark, or a later one if the system buffered some bytes.
    expect(one.takeDropped()).toBeGreaterThan(50);
    expect(one.takeDropped()).toBe(0);
  });
});
