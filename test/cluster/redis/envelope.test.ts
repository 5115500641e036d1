import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EnvelopeReader, EnvelopeWriter, MessageTooLongError } from '../../../src/cluster/redis/envelope.js';
import { RedisTime } from '../../../src/cluster/redis/redis-time.js';
import { Refusals } from '../../../src/cluster/redis/refusals.js';
import { Seal } from '../../../src/cluster/redis/seal.js';
import { readStampedValue, stampedValue } from '../../../src/cluster/redis/stamped-value.js';
import { ManualClock } from '../../support/manual-clock.js';

const KEY = 'a key that is long enough for the nodes';
const OTHER_KEY = 'another key, which no other node has set';
const CHANNEL = 't:node:one';

function createNode(nodeId: string, keys: readonly string[], clock = new ManualClock()) {
  const deps = { nodeId, seal: new Seal(keys), time: new RedisTime(clock) };
  return { ...deps, clock, writer: new EnvelopeWriter(deps), reader: new EnvelopeReader(deps) };
}

/** Creates a sender and a receiver with these keys, and the same clock. */
function createPair(senderKeys: readonly string[], receiverKeys = senderKeys) {
  const clock = new ManualClock();
  return { clock, sender: createNode('sender', senderKeys, clock), receiver: createNode('one', receiverKeys, clock) };
}

describe('Envelope', () => {
  test.each([[[KEY]], [[]]])('for any message: the receiver reads what the sender wrote (keys: %j)', (keys) => {
    const { sender, receiver } = createPair(keys);
    fc.assert(
      fc.property(fc.jsonValue(), (message) => {
        expect(receiver.reader.read(CHANNEL, sender.writer.write(CHANNEL, message))).toEqual({
          senderId: 'sender',
          json: JSON.stringify(message),
        });
      }),
    );
  });

  test('for any change of a signed message: it is refused', () => {
    const { sender, receiver } = createPair([KEY]);
    const text = sender.writer.write(CHANNEL, ['tool', 7, 's', 'spawn', { type: 'coder' }]);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ minLength: 0, maxLength: 3 }), (at, inserted) => {
        const changed = text.slice(0, at) + inserted + text.slice(at + 1);
        fc.pre(changed !== text);
        expect(receiver.reader.read(CHANNEL, changed)).toMatch(/^(version|signature|unsigned)$/);
      }),
    );
    expect(receiver.reader.read(CHANNEL, text)).toMatchObject({ senderId: 'sender' });
  });

  test('refuses a message on another channel', () => {
    const { sender, receiver } = createPair([KEY]);
    const text = sender.writer.write(CHANNEL, 'x');
    expect(receiver.reader.read('t:node:two', text)).toBe('signature');
    expect(receiver.reader.read(CHANNEL.slice(0, -1), text)).toBe('signature');
  });

  test.each<[string, readonly string[], readonly string[], string]>([
    ['another key', [OTHER_KEY], [KEY], 'signature'],
    ['no key', [], [KEY], 'unsigned'],
    ['a key that this node lacks', [KEY], [], 'unverifiable'],
  ])('refuses a message of a node with %s', (_name, senderKeys, receiverKeys, reason) => {
    const { sender, receiver } = createPair(senderKeys, receiverKeys);
    expect(receiver.reader.read(CHANNEL, sender.writer.write(CHANNEL, 'x'))).toBe(reason);
  });

  test('accepts each listed key, so that keys can be replaced one node at a time', () => {
    const [old, both, replaced] = [[KEY], [KEY, OTHER_KEY], [OTHER_KEY, KEY]];
    for (const [from, to] of [
      [old, both],
      [both, old],
      [both, replaced],
      [replaced, both],
      [replaced, [OTHER_KEY]],
    ] as const) {
      const { sender, receiver } = createPair(from, to);
      expect(receiver.reader.read(CHANNEL, sender.writer.write(CHANNEL, 1))).toMatchObject({ json: '1' });
    }
  });

  test('refuses a repeated message and one that a later message has overtaken, for each sender separately', () => {
    const { sender, receiver, clock } = createPair([KEY]);
    const other = createNode('other', [KEY], clock);
    const [first, second] = [sender.writer.write(CHANNEL, 1), sender.writer.write(CHANNEL, 2)];
    expect(receiver.reader.read(CHANNEL, second)).toMatchObject({ json: '2' });
    expect([first, second].map((text) => receiver.reader.read(CHANNEL, text))).toEqual(['replayed', 'replayed']);
    expect(receiver.reader.read(CHANNEL, other.writer.write(CHANNEL, 3))).toMatchObject({ json: '3' });
  });

  test('refuses a recorded message at any later time, also when the receiver was started afterwards', () => {
    const { sender, receiver, clock } = createPair([KEY]);
    const text = sender.writer.write(CHANNEL, 1);
    expect(receiver.reader.read(CHANNEL, text)).toMatchObject({ json: '1' });
    for (let passedMs = 0; passedMs < 300_000; passedMs += 10_000) {
      clock.advance(10_000);
      expect(receiver.reader.read(CHANNEL, text)).toMatch(/^(replayed|expired)$/);
      // Other messages make the receiver forget senders of which it has heard nothing for long.
      receiver.reader.read(CHANNEL, createNode(`n${passedMs}`, [KEY], clock).writer.write(CHANNEL, 0));
    }
    expect(createNode('late', [KEY], clock).reader.read(CHANNEL, text)).toBe('expired');
  });

  test('refuses messages of another version, garbage and oversized messages without parsing them', () => {
    const { sender, receiver } = createPair([KEY]);
    const text = sender.writer.write(CHANNEL, 1);
    for (const other of [`3${text.slice(1)}`, '[1,7,1,0,"someone",{}]', '', 'garbage', '2 - x 1'])
      expect(receiver.reader.read(CHANNEL, other)).toBe('version');
    expect(receiver.reader.read(CHANNEL, `${text}${' '.repeat(1_048_576)}`)).toBe('oversized');
    expect(() => sender.writer.write(CHANNEL, 'x'.repeat(1_048_576))).toThrow(MessageTooLongError);
  });
});

describe('stampedValue', () => {
  const NAME = 't:{s}:lease';

  test('is refused under another key, when it is changed, and when its writer would have replaced it', () => {
    const { sender, receiver, clock } = createPair([KEY]);
    const value = stampedValue(sender, NAME, ' sender 7');
    const read = (name: string, text: string): unknown =>
      readStampedValue(receiver, name, { value: text, maxAgeMs: 1_000 });
    expect(read(NAME, value)).toEqual({ text: ' sender 7', atMs: clock.now() });
    expect(read('t:{x}:lease', value)).toBe('signature');
    expect(read(NAME, value.replace('7', '8'))).toBe('signature');
    expect(read(NAME, 'sender 7')).toBe('version');
    clock.advance(12_000);
    expect(read(NAME, value)).toBe('expired');
  });
});

describe('Seal.refusalOfHash', () => {
  const fieldsOf = fc.dictionary(fc.string({ minLength: 1 }), fc.string(), { maxKeys: 6 }).map(Object.entries<string>);

  test('for any changes of a hash: the sum equals that of the result, and no other hash has it', async () => {
    const seal = new Seal([KEY]);
    const change = fc.tuple(fieldsOf, fc.array(fc.string({ minLength: 1 }), { maxLength: 2 }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 5 }), fieldsOf, async (changes, others) => {
        const sum = seal.createSum();
        if (sum === null) throw new Error('keyed');
        const hash = new Map<string, string>();
        for (const [set, removed] of changes) {
          const changed = await sum.changed(set, removed);
          changed.apply();
          for (const [name, value] of set) hash.set(name, value);
          for (const name of removed) hash.delete(name);
          expect(sum.sum).toBe(changed.sum);
        }
        const given = { signature: seal.sign('key', `at ${sum.sum}`), textWith: (text: string) => `at ${text}` };
        expect(await seal.refusalOfHash('key', [...hash], given)).toBeNull();
        expect(await seal.refusalOfHash('other', [...hash], given)).toBe('signature');
        const isSame = others.length === hash.size && others.every(([name, value]) => hash.get(name) === value);
        if (!isSame) expect(await seal.refusalOfHash('key', others, given)).toBe('signature');
      }),
    );
  });
});

describe('Refusals', () => {
  test('counts every refusal and logs the first of each reason', () => {
    const logged: unknown[] = [];
    const ignore = (): void => undefined;
    const warn = (fields: object): number => logged.push(fields);
    const refusals = new Refusals({ debug: ignore, info: ignore, error: ignore, warn });
    for (const reason of ['signature', 'signature', 'replayed', 'signature'] as const)
      refusals.count(reason, 'channel');
    expect(refusals.counts).toEqual(
      new Map([
        ['signature', 3],
        ['replayed', 1],
      ]),
    );
    expect(logged).toEqual([
      { reason: 'signature', name: 'channel' },
      { reason: 'replayed', name: 'channel' },
    ]);
  });
});

describe('RedisTime', () => {
  test('for any round trips and stalls: the estimate lies within the last round trip of the clock of Redis', () => {
    const step = fc.record({
      passMs: fc.nat(5_000),
      thereMs: fc.nat(3_000),
      backMs: fc.nat(3_000),
      jumpMs: fc.nat(100),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1 }), fc.integer({ min: -1e6, max: 1e6 }), (steps, aheadMs) => {
        const clock = new ManualClock();
        const time = new RedisTime(clock);
        let offsetMs = aheadMs;
        for (const { passMs, thereMs, backMs, jumpMs } of steps) {
          clock.advance(passMs);
          offsetMs += jumpMs;
          const requestedAtMs = clock.monotonic();
          clock.advance(thereMs);
          const redisMs = clock.now() + offsetMs;
          clock.advance(backMs);
          time.record(requestedAtMs, redisMs);
          expect(Math.abs(time.now() - (clock.now() + offsetMs))).toBeLessThanOrEqual(Math.max(thereMs, backMs) + 1);
        }
      }),
    );
  });

  test('keeps its estimate when an answer is late because the process was stalled', () => {
    const clock = new ManualClock();
    const time = new RedisTime(clock);
    time.record(clock.monotonic(), clock.now());
    const requestedAtMs = clock.monotonic();
    const redisMs = clock.now();
    clock.stall(3_000);
    time.record(requestedAtMs, redisMs);
    expect(time.now()).toBe(clock.now());
  });
});
