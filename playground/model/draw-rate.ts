/** Limits that the page requests, in updates per second, from none to the lowest. */
const LIMITS = [null, 30, 15, 8, 4, 2, 1] as const;
type Limit = (typeof LIMITS)[number];

/** Limit while the page is hidden and draws nothing. */
const HIDDEN_LIMIT = 1;

/** Rate of the stream without a limit, in updates per second. The display rarely draws more often. */
const UNLIMITED_HZ = 60;

/** Length of a measurement in milliseconds. */
const WINDOW_MS = 3_000;
/** Number of frames and time of drawing that a measurement needs, because the graph draws only when something moves. */
const MIN_FRAMES = 3;
const MIN_DRAWN_MS = 1_000;
/** Time that a page must be hidden before its limit is lowered, so that a short look at another tab changes nothing. */
const HIDDEN_MS = 5_000;

/** Share of a limit below which the page cannot follow it. */
const TOO_SLOW = 0.75;
/** Share of the next higher limit above which the page can follow it. */
const FAST_ENOUGH = 0.9;

/** Number of fast measurements before the limit is raised, and its maximum after limits that had to be lowered again. */
const MIN_RAISE_WINDOWS = 3;
const MAX_RAISE_WINDOWS = 96;

/**
 * Chooses the maximum update rate from the frames that the page draws. Lowers it as soon as a measurement shows that the page
 * cannot draw every update, and raises it step by step. Each raise that fails doubles the time before the next one, so that the
 * rate does not oscillate.
 */
export class DrawRate {
  readonly #send: (maxHz: number | null) => void;
  #level = 0;
  #intervals: number[] = [];
  #windowStartMs: number | null = null;
  #fastWindows = 0;
  #raiseWindows = MIN_RAISE_WINDOWS;
  /** Number of measurements since the last raise. Infinite if there was none since the limit was lowered. */
  #windowsSinceRaise = Number.POSITIVE_INFINITY;
  #hiddenSinceMs: number | null = null;
  #sent: number | null = null;

  /** @param send called when the limit changes; null removes it */
  constructor(send: (maxHz: number | null) => void) {
    this.#send = send;
  }

  /** Requested limit in updates per second. Null if there is none. */
  get maxHz(): number | null {
    return this.#sent;
  }

  /** Adds a frame. @param intervalMs time since the previous frame of the same movement, in milliseconds */
  addFrame(intervalMs: number): void {
    if (this.#hiddenSinceMs === null && intervalMs > 0) this.#intervals.push(intervalMs);
  }

  /**
   * Sets whether the page is visible. A page that becomes visible again starts without a limit, because its measurements are
   * old.
   */
  setVisible(isVisible: boolean, nowMs: number): void {
    if (isVisible === (this.#hiddenSinceMs === null)) return;
    this.#hiddenSinceMs = isVisible ? null : nowMs;
    this.#startWindow(nowMs);
    if (!isVisible || this.#sent !== HIDDEN_LIMIT) return;
    this.#level = 0;
    this.#fastWindows = 0;
    this.#windowsSinceRaise = Number.POSITIVE_INFINITY;
    this.#update(null);
  }

  /** Evaluates the measurement if it is complete. Must be called about once per second. */
  tick(nowMs: number): void {
    if (this.#hiddenSinceMs !== null) {
      if (nowMs - this.#hiddenSinceMs >= HIDDEN_MS) this.#update(HIDDEN_LIMIT);
      return;
    }
    if (this.#windowStartMs === null) this.#startWindow(nowMs);
    else if (nowMs - this.#windowStartMs >= WINDOW_MS) {
      this.#evaluate();
      this.#startWindow(nowMs);
    }
  }

  #startWindow(nowMs: number): void {
    this.#windowStartMs = nowMs;
    this.#intervals = [];
  }

  #evaluate(): void {
    const drawnMs = this.#intervals.reduce((sum, intervalMs) => sum + intervalMs, 0);
    if (this.#intervals.length < MIN_FRAMES || drawnMs < MIN_DRAWN_MS) return;
    const drawnHz = (1_000 * this.#intervals.length) / drawnMs;
    this.#windowsSinceRaise += 1;
    if (drawnHz < TOO_SLOW * hertzOf(limitAt(this.#level))) this.#lower(drawnHz);
    else if (this.#level > 0 && drawnHz >= FAST_ENOUGH * hertzOf(limitAt(this.#level - 1))) this.#raiseIfSteady();
    else this.#fastWindows = 0;
  }

  #lower(drawnHz: number): void {
    const fitting = LIMITS.findIndex((limit) => hertzOf(limit) <= drawnHz);
    const level = fitting === -1 ? LIMITS.length - 1 : fitting;
    const hasRaiseFailed = this.#windowsSinceRaise <= this.#raiseWindows;
    this.#raiseWindows = hasRaiseFailed ? Math.min(MAX_RAISE_WINDOWS, this.#raiseWindows * 2) : MIN_RAISE_WINDOWS;
    this.#windowsSinceRaise = Number.POSITIVE_INFINITY;
    this.#fastWindows = 0;
    if (level <= this.#level) return;
    this.#level = level;
    this.#update(limitAt(level));
  }

  #raiseIfSteady(): void {
    this.#fastWindows += 1;
    if (this.#fastWindows < this.#raiseWindows) return;
    this.#fastWindows = 0;
    this.#windowsSinceRaise = 0;
    this.#level -= 1;
    this.#update(limitAt(this.#level));
  }

  #update(maxHz: number | null): void {
    if (maxHz === this.#sent) return;
    this.#sent = maxHz;
    this.#send(maxHz);
  }
}

function limitAt(level: number): Limit {
  return LIMITS[level] ?? null;
}

function hertzOf(limit: Limit): number {
  return limit ?? UNLIMITED_HZ;
}
