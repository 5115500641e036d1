import { EventEmitter } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import type { TerminalInput, TerminalOutput } from '../../src/cli/terminal/screen.js';
import { type InkScreen, openInkScreen, type SignalSource } from '../../src/cli/watch/ink-screen.js';
import type { StyledLine } from '../../src/cli/watch/render-frame.js';
import { toTerminalText, truncateEnd } from '../../src/cli/watch/terminal-text.js';
import type { WatchKey } from '../../src/cli/watch/view-state.js';
import { runs } from '../support/fuzz-inputs.js';
import { ManualClock } from '../support/manual-clock.js';
import { waitUntil } from '../support/wait.js';
import { TERMINAL_TEXT } from './terminal-texts.js';

const ENTER = '\u001b[?1049h';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const SEQUENCE = /\u001b\[[0-9;?]*[A-Za-z]/g; // eslint-disable-line no-control-regex
const SGR = /\u001b\[[0-9;]*m/; // eslint-disable-line no-control-regex

class FakeOutput extends Writable implements TerminalOutput {
  readonly isTTY = true;
  columns = 60;
  rows = 9;
  text = '';

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.text += chunk.toString();
    callback();
  }

  /** Lines of the last complete frame. */
  get lines(): string[] {
    const frame = this.text.split('\u001b[?2026h').at(-1) ?? '';
    return frame.replaceAll(SEQUENCE, '').split('\n').slice(0, -1);
  }
}

class FakeInput extends PassThrough implements TerminalInput {
  readonly isTTY = true;
  isRaw = false;

  setRawMode(isRaw: boolean): this {
    this.isRaw = isRaw;
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

class FakeSignals extends EventEmitter implements SignalSource {
  readonly pid = 4711;
  readonly sent: unknown[] = [];

  kill(pid: number, signal: NodeJS.Signals): void {
    this.sent.push([pid, signal]);
    // The shell of the user sends the signal to the whole job.
    if (pid === 0) this.emit(signal);
  }
}

interface Terminal extends AsyncDisposable {
  readonly screen: InkScreen;
  readonly stdin: FakeInput;
  readonly stdout: FakeOutput;
  readonly signals: FakeSignals;
  readonly clock: ManualClock;
  readonly keys: WatchKey[];
  redraws: number;
}

async function open(options: { hasColors?: boolean } = {}): Promise<Terminal> {
  const [stdin, stdout, signals, clock] = [new FakeInput(), new FakeOutput(), new FakeSignals(), new ManualClock()];
  const keys: WatchKey[] = [];
  const terminal = { stdin, stdout, signals, clock, keys, redraws: 0 };
  const screen = await openInkScreen({
    stdin,
    stdout,
    signals,
    clock,
    hasColors: options.hasColors ?? false,
    onKey: (key) => keys.push(key),
    onRedraw: () => (terminal.redraws += 1),
  });
  return Object.assign(terminal, { screen, [Symbol.asyncDispose]: async () => screen[Symbol.dispose]() });
}

function plain(text: string): StyledLine {
  return text === '' ? [] : [{ text, style: 'plain' }];
}

async function shown(stdout: FakeOutput, text: string): Promise<void> {
  await waitUntil(() => stdout.lines.join('\n').includes(text), { state: () => stdout.text.slice(-500) });
}

describe('InkScreen', () => {
  test('draws lines on the alternate screen and restores the terminal', async () => {
    const terminal = await open();
    const { screen, stdout, stdin, signals } = terminal;
    expect([stdout.text.startsWith(ENTER), stdin.isRaw, screen.size]).toEqual([true, true, { columns: 60, rows: 8 }]);
    screen.draw([
      plain('first'),
      plain(''),
      [
        { text: 'a', style: 'bad' },
        { text: 'b', style: 'selected' },
      ],
    ]);
    await shown(stdout, 'first');
    expect(stdout.lines).toEqual(['first', '', 'ab']);
    screen[Symbol.dispose]();
    expect(stdout.text.endsWith(LEAVE)).toBe(true);
    expect([stdin.isRaw, stdout.listenerCount('resize'), signals.eventNames()]).toEqual([false, 0, []]);
  });

  test('leaves the variables of the process unchanged', async () => {
    const before = { ...process.env };
    await using _terminal = await open();
    expect(process.env).toEqual(before);
  });

  test('sends no colors when they are disabled', async () => {
    await using terminal = await open({ hasColors: false });
    terminal.screen.draw(
      (['bold', 'dim', 'good', 'warning', 'bad', 'selected'] as const).map((style) => [{ text: style, style }]),
    );
    await shown(terminal.stdout, 'selected');
    expect(terminal.stdout.text).not.toMatch(SGR);
  });

  test('for any text: each line arrives as it is', async () => {
    await using terminal = await open();
    const { screen, stdout } = terminal;
    let frame = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(TERMINAL_TEXT, { minLength: 1, maxLength: 6 }), async (texts) => {
        const lines = texts.map((text) => truncateEnd(toTerminalText(text).trim(), 60));
        frame += 1;
        screen.draw([plain(`frame ${frame}`), ...lines.map(plain)]);
        await shown(stdout, `frame ${frame}`);
        expect(stdout.lines.slice(1)).toEqual(lines.map((line) => line.trimEnd()));
        for (const line of stdout.lines) expect(stringWidth(line)).toBeLessThanOrEqual(60);
      }),
      runs(50),
    );
  });

  test.each<[string, WatchKey[]]>([
    ['\u001b[A', [{ name: 'up' }]],
    ['\u001b[B\u001b[B', [{ name: 'down' }, { name: 'down' }]],
    ['\u001b[5~', [{ name: 'page-up' }]],
    ['\u001b[H', [{ name: 'home' }]],
    ['\r', [{ name: 'enter' }]],
    ['\u007f', [{ name: 'backspace' }]],
    ['\u0003', [{ name: 'quit' }]],
    ['\u001a', [{ name: 'suspend' }]],
    ['\u000c', [{ name: 'redraw' }]],
    ['\u0015', [{ name: 'clear' }]],
    ['/日本', [{ name: 'text', text: '/日本' }]],
    ['ab\rq', [{ name: 'text', text: 'ab' }, { name: 'enter' }, { name: 'text', text: 'q' }]],
    ['\u001b', [{ name: 'escape' }]],
  ])('reads %j', async (bytes, expected) => {
    await using terminal = await open();
    terminal.stdin.write(bytes);
    await waitUntil(() => terminal.keys.length >= expected.length, { state: () => terminal.keys });
    expect(terminal.keys).toEqual(expected);
  });

  test('leaves the terminal while the program is suspended, and draws again when it continues', async () => {
    await using terminal = await open();
    const { screen, stdin, stdout, signals } = terminal;
    screen.suspend();
    expect(signals.sent).toEqual([
      [0, 'SIGTSTP'],
      [4711, 'SIGTSTP'],
    ]);
    // Without a listener, the signal stops the process.
    expect([stdout.text.endsWith(LEAVE), stdin.isRaw, signals.listenerCount('SIGTSTP')]).toEqual([true, false, 0]);
    const before = stdout.text.length;
    screen.draw([plain('hidden')]);
    expect(stdout.text).toHaveLength(before);
    signals.emit('SIGCONT');
    expect(stdout.text.slice(before).startsWith(ENTER)).toBe(true);
    expect([stdin.isRaw, signals.listenerCount('SIGTSTP'), terminal.redraws]).toEqual([true, 1, 1]);
    screen.draw([plain('again')]);
    await shown(stdout, 'again');
    stdin.write('j');
    await waitUntil(() => terminal.keys.length > 0, { state: () => terminal.keys });
    expect(stdin.isRaw).toBe(true);
    screen.suspend();
    expect(signals.sent).toHaveLength(4);
  });

  test('continues when no shell can continue it', async () => {
    await using terminal = await open();
    terminal.screen.suspend();
    terminal.clock.advance(1_000);
    expect([terminal.stdin.isRaw, terminal.redraws, terminal.clock.pending]).toEqual([true, 1, 0]);
  });

  test('draws everything again after a change of the size, and keeps the scrollback', async () => {
    await using terminal = await open();
    const { screen, stdout } = terminal;
    screen.draw(Array.from({ length: 8 }, (_, index) => plain(`line ${index}`)));
    await shown(stdout, 'line 7');
    Object.assign(stdout, { columns: 40, rows: 4 });
    stdout.emit('resize');
    expect(terminal.redraws).toBe(1);
    screen.draw([plain('small'), plain('last')]);
    await shown(stdout, 'small');
    expect(stdout.lines).toEqual(['small', 'last']);
    expect(stdout.text).not.toContain('\u001b[3J');
    // Entering the alternate screen twice would overwrite the saved position of the cursor.
    expect(stdout.text.split(ENTER)).toHaveLength(2);
  });

  test('restores the terminal when the process exits', async () => {
    await using terminal = await open();
    terminal.signals.emit('exit');
    expect([terminal.stdout.text.endsWith(LEAVE), terminal.stdin.isRaw]).toEqual([true, false]);
  });
});
