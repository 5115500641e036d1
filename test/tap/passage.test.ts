import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Passage, type PassageEvents } from '../../src/tap/passage.js';
import { ManualClock, settled } from '../support/manual-clock.js';
import { runs } from '../support/hostile.js';

const PREFIX = 'swarmlens-0af3-';
const NO_EVENTS: PassageEvents = {
  onCall: () => undefined,
  onToolsChanged: () => undefined,
  onGreeted: () => undefined,
};

/** Both ends of a passage, in this process. */
class Stage {
  readonly clock = new ManualClock();
  readonly person = { input: new PassThrough(), output: new PassThrough() };
  readonly server = { input: new PassThrough(), output: new PassThrough() };
  readonly passage: Passage;
  toServer = '';
  toPerson = '';

  constructor(events: Partial<PassageEvents> = {}) {
    this.passage = new Passage(this, PREFIX, this.clock, { ...NO_EVENTS, ...events });
    this.server.input.on('data', (chunk: Buffer) => (this.toServer += chunk.toString('latin1')));
    this.person.output.on('data', (chunk: Buffer) => (this.toPerson += chunk.toString('latin1')));
  }

  async says(text: string | Buffer): Promise<void> {
    this.person.input.write(text);
    await settled();
  }

  async answers(text: string | Buffer): Promise<void> {
    this.server.output.write(text);
    await settled();
  }

  /** The handshake, as it is said. */
  async greet(): Promise<void> {
    await this.says('{"id":0,"method":"initialize"}\n');
    await this.answers('{"id":0,"result":{}}\n');
    await this.says('{"method":"notifications/initialized"}\n');
    this.toServer = '';
    this.toPerson = '';
  }

  call(): unknown[] {
    const answers: unknown[] = [];
    this.passage.call({ method: 'tools/call', params: {} }, (answer) => answers.push(answer));
    return answers;
  }
}

const OWN = new RegExp(`\\{[^\\n]*"id":"(${PREFIX}\\d+)"[^\\n]*\\}\\n`, 'g');

const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
const jsonLine = fc
  .record({ id: fc.integer({ min: 1, max: 3 }), method: fc.constantFrom('tools/call', 'ping', undefined) })
  .map((message) => Buffer.from(`${JSON.stringify({ ...message, ...(message.method ? {} : { result: {} }) })}\n`));
const piece = fc.oneof(
  bytes,
  jsonLine,
  jsonLine.map((line) => line.subarray(0, 9)),
  fc.constant(Buffer.from('\n')),
);
const step = fc.oneof(
  piece.map((chunk) => ({ kind: 'PERSON' as const, chunk })),
  piece.map((chunk) => ({ kind: 'SERVER' as const, chunk })),
  fc.constant({ kind: 'CALL' as const }),
  fc.boolean().map((isIdFirst) => ({ kind: 'ANSWER' as const, isIdFirst })),
);

test('whatever is said, both sides get each byte of the other, and nothing of ours but calls between two lines', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const stage = new Stage();
      await stage.greet();
      let said = '';
      let answered = '';
      let isAtLineStart = true;
      const open: string[] = [];
      const callsSeen = (): string[] => [...stage.toServer.matchAll(OWN)].map(([, id = '']) => id);
      let handled = 0;
      for (const one of steps) {
        if (one.kind === 'PERSON') {
          said += one.chunk.toString('latin1');
          await stage.says(one.chunk);
        } else if (one.kind === 'SERVER') {
          answered += one.chunk.toString('latin1');
          if (one.chunk.length > 0) isAtLineStart = one.chunk.at(-1) === 0x0a;
          await stage.answers(one.chunk);
        } else if (one.kind === 'CALL') {
          stage.call();
          await settled();
        } else {
          const all = callsSeen();
          open.push(...all.slice(handled));
          handled = all.length;
          const id = open.shift();
          if (id === undefined) continue;
          // A server writes whole lines: what it has begun it ends first.
          if (!isAtLineStart) {
            answered += '\n';
            await stage.answers('\n');
            isAtLineStart = true;
          }
          const answer = one.isIdFirst ? { id, result: { a: 1 } } : { result: { a: 1 }, id };
          const text = `${JSON.stringify(answer)}\n`;
          await stage.answers(text.slice(0, 7));
          await stage.answers(text.slice(7));
        }
      }
      stage.person.input.end();
      stage.server.output.end();
      await settled();
      expect(stage.toServer.replaceAll(OWN, '')).toBe(said);
      expect(stage.toPerson).toBe(answered);
      const ids = callsSeen();
      expect(new Set(ids).size).toBe(ids.length);
      for (const { index } of stage.toServer.matchAll(OWN)) {
        expect(index === 0 || stage.toServer[index - 1] === '\n').toBe(true);
      }
    }),
    runs(100),
  );
});

test("a call of ours waits for the end of the person's line, and for the answers to all their calls", async () => {
  const stage = new Stage();
  const answers = stage.call();
  expect(stage.toServer).toBe('');
  await stage.greet();
  expect(answers).toEqual([]);
  const [first] = stage.call();
  expect(first).toBeUndefined();
  await stage.answers(`{"id":"${PREFIX}1","result":{"n":1}}\n`);
  await stage.answers(`{"id":"${PREFIX}2","result":{"n":2}}\n`);
  expect(answers).toEqual([{ result: { n: 1 } }]);
  stage.toServer = '';
  const one = '{"id":1,"method":"tools/call","params":{"name":"a"}}\n';
  const two = '{"id":2,"method":"tools/call","params":{"name":"b"}}\n';
  await stage.says(one + two.slice(0, 10));
  stage.call();
  await stage.answers('{"id":1,"result":{}}\n');
  expect(stage.toServer).toBe(one + two.slice(0, 10));
  await stage.says(two.slice(10));
  expect(stage.toServer).toBe(one + two);
  await stage.answers('{"result":{},"id":2}\n');
  expect(stage.toServer.startsWith(one + two)).toBe(true);
  expect(stage.toServer.slice((one + two).length)).toContain(`"id":"${PREFIX}3"`);
});

test("a call of the person's that comes while ours is under way passes at once", async () => {
  const stage = new Stage();
  await stage.greet();
  const answers = stage.call();
  const call = '{"id":1,"method":"tools/call","params":{"name":"a"}}\n';
  stage.toServer = '';
  await stage.says(call);
  expect(stage.toServer).toBe(call);
  await stage.answers('{"id":1,"result":1}\n');
  expect(stage.toPerson).toBe('{"id":1,"result":1}\n');
  expect(answers).toEqual([]);
  await stage.answers(`{"result":{},"id":"${PREFIX}1"}\n`);
  expect(answers).toEqual([{ result: {} }]);
  expect(stage.toPerson).toBe('{"id":1,"result":1}\n');
});

test('an answer that comes after its call was given up does not reach the person', async () => {
  const stage = new Stage();
  await stage.greet();
  const answers = stage.call();
  stage.clock.advance(10_000);
  expect(answers).toEqual([{ error: expect.objectContaining({ code: -32_000 }) }]);
  await stage.answers(`{"result":{"late":1},`);
  await stage.answers(`"id":"${PREFIX}1"}\nnext`);
  expect(stage.toPerson).toBe('next');
});

test('a look at the session that fails costs the person nothing', async () => {
  const stage = new Stage({
    onCall: () => {
      throw new Error('broken');
    },
  });
  await stage.greet();
  const said = '{"id":1,"method":"tools/call","params":{"name":"a"}}\n';
  await stage.says(said);
  await stage.answers('{"id":1,"result":1}\n');
  await stage.says('more');
  expect(stage.toServer).toBe(`${said}more`);
  expect(stage.toPerson).toBe('{"id":1,"result":1}\n');
});

test('a line of more than 10 MB passes without being looked at', async () => {
  const stage = new Stage();
  await stage.greet();
  const long = `{"id":1,"method":"tools/call","params":{"name":"${'x'.repeat(11 * 1024 * 1024)}"}}\n`;
  for (let start = 0; start < long.length; start += 65_536) await stage.says(long.slice(start, start + 65_536));
  expect(stage.toServer === long).toBe(true);
  // It is not known to be under way.
  stage.toServer = '';
  stage.call();
  expect(stage.toServer).toContain(`"id":"${PREFIX}1"`);
});
