import { constants } from 'node:os';
import { Writable } from 'node:stream';
import type * as InkModule from 'ink';
import type { createElement, ReactElement } from 'react';
import type { Clock } from '../../shared/index.js';
import { sizeOf, type TerminalInput, type TerminalOutput, type TerminalSize } from '../terminal/screen.js';
import type { LineStyle, StyledLine } from './render-frame.js';
import type { KeyName, WatchKey } from './view-state.js';

/** Ink, and the function of React that creates its elements. */
interface Ink extends Pick<typeof InkModule, 'Box' | 'Text' | 'useInput' | 'render'> {
  readonly createElement: typeof createElement;
}
type Instance = ReturnType<Ink['render']>;
type InkKey = Parameters<Parameters<Ink['useInput']>[0]>[1];
type TextProps = Parameters<Ink['Text']>[0];

/** Escape sequence that switches to the alternate screen, hides the cursor, and disables line wrap. */
const ENTER = '\u001b[?1049h\u001b[2J\u001b[H\u001b[?25l\u001b[?7l';
const CLEAR = '\u001b[2J\u001b[H';
/** Escape sequence that restores the line wrap, the cursor and the screen. */
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';

/** Time in milliseconds after which a process that was not suspended continues. */
const SUSPEND_CHECK_MS = 100;

/** Signals of the process, and the way to send them. */
export interface SignalSource {
  readonly pid: number;
  on(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
  kill(pid: number, signal: NodeJS.Signals): unknown;
}

export interface InkScreenOptions {
  readonly stdin: TerminalInput;
  readonly stdout: TerminalOutput;
  readonly hasColors: boolean;
  readonly clock: Clock;
  readonly signals?: SignalSource;
  readonly onKey: (key: WatchKey) => void;
  /** Called when everything must be drawn again, such as after a change of the size. */
  readonly onRedraw: () => void;
}

/** Loads Ink, which only a terminal needs. */
export async function openInkScreen(options: InkScreenOptions): Promise<InkScreen> {
  return new InkScreen(await loadInk(), options);
}

/**
 * Loads Ink for production. Ink and React read these variables once, when they are loaded: Ink draws nothing in continuous
 * integration, and the development version of React keeps a measurement of each frame in memory.
 */
async function loadInk(): Promise<Ink> {
  const settings: Readonly<Record<string, string>> = {
    NODE_ENV: 'production',
    CI: 'false',
    CONTINUOUS_INTEGRATION: 'false',
    DEV: 'false',
  };
  const { env } = process;
  const previous = Object.keys(settings).map((name) => [name, env[name]] as const);
  Object.assign(env, settings);
  try {
    const [ink, react] = await Promise.all([import('ink'), import('react')]);
    return { ...ink, createElement: react.createElement };
  } finally {
    for (const [name, value] of previous) {
      if (value === undefined) Reflect.deleteProperty(env, name);
      else env[name] = value;
    }
  }
}

/** Full-screen view in a terminal. Leaves the terminal as it was when disposed, suspended, or when the process exits. */
export class InkScreen implements Disposable {
  readonly #ink: Ink;
  readonly #options: InkScreenOptions;
  readonly #signals: SignalSource;
  #output: InkOutput | null = null;
  #instance: Instance | null = null;
  #lines: readonly StyledLine[] = [];
  #suspension: Disposable | null = null;

  constructor(ink: Ink, options: InkScreenOptions) {
    this.#ink = ink;
    this.#options = options;
    this.#signals = options.signals ?? process;
    options.stdout.on('resize', this.#redraw);
    options.stdout.on('drain', options.onRedraw);
    this.#signals.on('SIGTSTP', this.#suspend);
    this.#signals.on('SIGCONT', this.#continue);
    this.#signals.on('exit', this.#leave);
    this.#enter();
  }

  /** Size of the area for lines. Ink ends its output with a line feed, which must not scroll. */
  get size(): TerminalSize {
    const { columns, rows } = sizeOf(this.#options.stdout);
    return { columns, rows: rows - 1 };
  }

  /** Whether keys can be read. */
  get hasKeys(): boolean {
    const { stdin } = this.#options;
    return stdin.isTTY === true && stdin.setRawMode !== undefined;
  }

  /** Draws lines that fit the size. Skips them while earlier output is pending, because `onRedraw` follows. */
  draw(lines: readonly StyledLine[]): void {
    if (this.#options.stdout.writableNeedDrain) return;
    this.#lines = lines;
    this.#instance?.rerender(this.#view());
  }

  /** Suspends the program and all programs of its job, as Ctrl-Z does outside of full-screen programs. */
  suspend(): void {
    if ('SIGTSTP' in constants.signals) this.#signals.kill(0, 'SIGTSTP');
  }

  /** Clears the terminal and draws everything again. */
  redraw(): void {
    this.#redraw();
  }

  [Symbol.dispose](): void {
    const { stdout, onRedraw } = this.#options;
    stdout.off('resize', this.#redraw);
    stdout.off('drain', onRedraw);
    this.#signals.off('SIGTSTP', this.#suspend);
    this.#signals.off('SIGCONT', this.#continue);
    this.#signals.off('exit', this.#leave);
    this.#suspension?.[Symbol.dispose]();
    this.#leave();
  }

  #enter(): void {
    const { stdin, stdout } = this.#options;
    // A process in the background stops here, before it changes the screen.
    if (this.hasKeys) stdin.setRawMode?.(true);
    stdout.write(ENTER);
    this.#mount();
  }

  #mount(): void {
    const { stdin, stdout } = this.#options;
    this.#output = new InkOutput(stdout);
    this.#instance = this.#ink.render(this.#view(), {
      // Ink uses only the members that these streams have.
      stdin: stdin as unknown as NodeJS.ReadStream,
      stdout: this.#output as unknown as NodeJS.WriteStream,
      exitOnCtrlC: false,
      patchConsole: false,
      isScreenReaderEnabled: false,
    });
  }

  #unmount(): void {
    // Ink draws once more when it ends, which would move the cursor.
    this.#output?.mute();
    this.#instance?.unmount();
    this.#instance = null;
  }

  readonly #leave = (): void => {
    if (this.#instance === null) return;
    this.#unmount();
    if (this.hasKeys) this.#options.stdin.setRawMode?.(false);
    this.#options.stdout.write(LEAVE);
  };

  readonly #redraw = (): void => {
    if (this.#instance === null) return;
    // Ink would clear the scrollback of the terminal when the window becomes smaller than its output.
    this.#unmount();
    this.#lines = [];
    this.#options.stdout.write(CLEAR);
    this.#mount();
    this.#options.onRedraw();
  };

  readonly #suspend = (): void => {
    this.#leave();
    // Without a listener, the signal stops the process, unless no shell could continue it.
    this.#signals.off('SIGTSTP', this.#suspend);
    this.#signals.kill(this.#signals.pid, 'SIGTSTP');
    this.#suspension ??= this.#options.clock.schedule(SUSPEND_CHECK_MS, this.#continue);
  };

  readonly #continue = (): void => {
    this.#suspension?.[Symbol.dispose]();
    this.#suspension = null;
    // The process may have been stopped by a signal that it could not handle.
    this.#leave();
    this.#signals.off('SIGTSTP', this.#suspend);
    this.#signals.on('SIGTSTP', this.#suspend);
    this.#enter();
    this.#options.onRedraw();
  };

  #view(): ReactElement {
    return this.#ink.createElement(WatchScreen, {
      ink: this.#ink,
      lines: this.#lines,
      hasColors: this.#options.hasColors,
      onKey: this.hasKeys ? this.#options.onKey : null,
    });
  }
}

/**
 * Output that Ink writes to. It is as high as any output, because Ink clears the terminal and its scrollback otherwise, and reports
 * no changes of the size, which the screen handles.
 */
class InkOutput extends Writable {
  readonly isTTY = true;
  readonly rows = Number.MAX_SAFE_INTEGER;
  readonly #target: TerminalOutput;
  #isMuted = false;

  constructor(target: TerminalOutput) {
    super({ decodeStrings: false });
    this.#target = target;
  }

  get columns(): number {
    return sizeOf(this.#target).columns;
  }

  /** Drops all further output. */
  mute(): void {
    this.#isMuted = true;
  }

  override _write(chunk: string | Uint8Array, _encoding: BufferEncoding, callback: () => void): void {
    if (!this.#isMuted) this.#target.write(chunk);
    callback();
  }
}

interface WatchScreenProps {
  readonly ink: Ink;
  readonly lines: readonly StyledLine[];
  readonly hasColors: boolean;
  readonly onKey: ((key: WatchKey) => void) | null;
}

/** Component that shows lines and passes on keys. */
function WatchScreen({
  ink: { Box, Text, useInput, createElement },
  lines,
  hasColors,
  onKey,
}: WatchScreenProps): ReactElement {
  useInput(
    (input, key) => {
      for (const watchKey of toWatchKeys(input, key)) onKey?.(watchKey);
    },
    { isActive: onKey !== null },
  );
  const rows = lines.map((line, index) =>
    createElement(
      Text,
      { key: index, wrap: 'truncate' },
      // An empty text takes no line.
      line.length === 0
        ? ' '
        : line.map(({ text, style }, position) =>
            createElement(Text, { key: position, ...(hasColors ? TEXT_PROPS[style] : {}) }, text),
          ),
    ),
  );
  return createElement(Box, { flexDirection: 'column' }, rows);
}

const TEXT_PROPS: Readonly<Record<LineStyle, Omit<TextProps, 'children'>>> = {
  plain: {},
  bold: { bold: true },
  dim: { dimColor: true },
  good: { color: 'green' },
  warning: { color: 'yellow' },
  bad: { color: 'red' },
  selected: { inverse: true },
};

const CONTROL_KEYS: Readonly<Record<string, KeyName>> = {
  '\u0003': 'quit',
  '\u001a': 'suspend',
  '\u000c': 'redraw',
  '\u0015': 'clear',
  '\r': 'enter',
  '\n': 'enter',
  '\u007f': 'backspace',
  '\b': 'backspace',
};

const CTRL_LETTERS: Readonly<Record<string, KeyName>> = {
  c: 'quit',
  z: 'suspend',
  l: 'redraw',
  u: 'clear',
  b: 'page-up',
  f: 'page-down',
  p: 'up',
  n: 'down',
};

/** Converts an input event of Ink. One event can contain several typed or pasted characters. */
export function toWatchKeys(input: string, key: InkKey): WatchKey[] {
  const named: [boolean, KeyName][] = [
    [key.upArrow, 'up'],
    [key.downArrow, 'down'],
    [key.pageUp, 'page-up'],
    [key.pageDown, 'page-down'],
    [key.home, 'home'],
    [key.end, 'end'],
    [key.return, 'enter'],
    [key.escape, 'escape'],
    [key.backspace || key.delete, 'backspace'],
  ];
  const name = named.find(([isPressed]) => isPressed)?.[1];
  if (name !== undefined) return [{ name }];
  if (key.ctrl) {
    const letter = CTRL_LETTERS[input];
    return letter === undefined ? [] : [{ name: letter }];
  }
  if (key.meta) return [];
  const keys: WatchKey[] = [];
  let text = '';
  const endText = (): void => {
    if (text !== '') keys.push({ name: 'text', text });
    text = '';
  };
  for (const character of input) {
    const control = CONTROL_KEYS[character];
    if (control !== undefined) {
      endText();
      keys.push({ name: control });
    } else if (!/\p{Cc}/u.test(character)) {
      text += character;
    }
  }
  endText();
  return keys;
}
