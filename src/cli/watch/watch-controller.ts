import type { Agent } from '@swarmlens/client';
import type { Clock } from '../../shared/index.js';
import type { TerminalSize } from '../terminal/screen.js';
import { AgentRows } from './agent-rows.js';
import { type AgentSummary, summarizeAgents } from './agent-summary.js';
import { renderWatchFrame, type StyledLine, type WatchFrame, type WatchFrameInput } from './render-frame.js';
import { applyKey, INITIAL_VIEW, settleView, type ViewContents, type WatchKey, type WatchView } from './view-state.js';

/** Minimum interval between two draws because of new data. */
const DRAW_INTERVAL_MS = 100;
/** Interval in which the ages of activities are drawn again. */
const AGE_INTERVAL_MS = 1_000;

/** Data of the streams. */
export type WatchData = Pick<
  WatchFrameInput,
  'url' | 'connection' | 'agents' | 'servers' | 'serversError' | 'effectiveHz'
>;

/** Terminal that the controller draws on. */
export interface WatchDisplay {
  readonly size: TerminalSize;
  readonly hasKeys: boolean;
  draw(lines: readonly StyledLine[]): void;
  suspend(): void;
  redraw(): void;
}

export interface WatchControllerOptions {
  readonly read: () => WatchData;
  readonly clock: Clock;
  readonly onQuit: () => void;
}

const NO_AGENTS: ReadonlyMap<string, Agent> = new Map();

/** Applies keys and data to the view, and draws it: keys in the next turn of the event loop, data at most ten times per second. */
export class WatchController implements Disposable {
  readonly #options: WatchControllerOptions;
  readonly #rows = new AgentRows();
  #display: WatchDisplay | null = null;
  #view: WatchView = INITIAL_VIEW;
  #frame: WatchFrame | null = null;
  #summary: { readonly agents: ReadonlyMap<string, Agent>; readonly value: AgentSummary } | null = null;
  #dataDraw: Disposable | null = null;
  #keyDraw: Disposable | null = null;
  #ageDraw: Disposable | null = null;

  constructor(options: WatchControllerOptions) {
    this.#options = options;
  }

  /** Starts to draw. */
  attach(display: WatchDisplay): void {
    this.#display = display;
    this.draw();
  }

  /** Draws soon, because data has changed. */
  update(): void {
    this.#dataDraw ??= this.#options.clock.schedule(DRAW_INTERVAL_MS, () => this.draw());
  }

  /** Applies a key. All keys of one turn of the event loop are drawn together. */
  pressKey(key: WatchKey): void {
    const { view, effect } = applyKey(this.#view, key, this.#contents(this.#view));
    const isOtherPage = view.page !== this.#view.page;
    this.#view = view;
    if (isOtherPage) this.#frame = null;
    this.#view = settleView(view, this.#contents(view));
    if (effect === 'quit') this.#options.onQuit();
    else if (effect === 'suspend') this.#display?.suspend();
    else if (effect === 'redraw') this.#display?.redraw();
    else this.#keyDraw ??= this.#options.clock.schedule(0, () => this.draw());
  }

  /** Draws now. */
  draw(): void {
    this.#cancel();
    if (this.#display === null) return;
    const { size } = this.#display;
    // A change of the data or of the window may move the selection.
    this.#frame = renderWatchFrame(this.#input(this.#view), size);
    const settled = settleView(this.#view, this.#contents(this.#view));
    if (!isSamePosition(settled, this.#view)) this.#frame = renderWatchFrame(this.#input(settled), size);
    this.#view = settled;
    this.#display.draw(this.#frame.lines);
    this.#ageDraw = this.#options.clock.schedule(AGE_INTERVAL_MS, () => this.draw());
  }

  [Symbol.dispose](): void {
    this.#display = null;
    this.#cancel();
  }

  #contents(view: WatchView): ViewContents {
    this.#frame ??= this.#display === null ? null : renderWatchFrame(this.#input(view), this.#display.size);
    return {
      rows: this.#rows.select(this.#options.read().agents ?? NO_AGENTS, view),
      indexOf: (id) => this.#rows.indexOf(id),
      pageRows: this.#frame?.pageRows ?? 1,
      lineCount: this.#frame?.lineCount ?? 0,
    };
  }

  #input(view: WatchView): WatchFrameInput {
    const data = this.#options.read();
    const agents = data.agents ?? NO_AGENTS;
    if (this.#summary?.agents !== agents) this.#summary = { agents, value: summarizeAgents(agents.values()) };
    return {
      ...data,
      view,
      summary: this.#summary.value,
      rows: this.#rows.select(agents, view),
      nowMs: this.#options.clock.now(),
      hasKeys: this.#display?.hasKeys ?? false,
    };
  }

  #cancel(): void {
    for (const scheduled of [this.#dataDraw, this.#keyDraw, this.#ageDraw]) scheduled?.[Symbol.dispose]();
    this.#dataDraw = this.#keyDraw = this.#ageDraw = null;
  }
}

function isSamePosition(a: WatchView, b: WatchView): boolean {
  return a.top === b.top && a.scroll === b.scroll && a.selectedIndex === b.selectedIndex;
}
