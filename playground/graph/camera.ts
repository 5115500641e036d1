import type { Sigma } from 'sigma';
import { EasedValue } from './animation.js';
import type { Point } from './convex-hull.js';

const HALF_LIFE_MS = 140;
/** Pixels around the agents, for the names of their groups and, above, what lies over the graph there. */
const MARGIN = 54;
const MARGIN_TOP = 82;
/** Of a small screen. */
const MAX_MARGIN_SHARE = 0.1;
/** A few agents are not drawn larger than this. */
const MIN_FIT_RATIO = 0.55;
const PAN_STEP = 60;

/** The view: it keeps all agents in sight until a person moves it, and again when they want that. */
export class Camera {
  readonly #sigma: Sigma;
  readonly #x: EasedValue;
  readonly #y: EasedValue;
  readonly #ratio: EasedValue;
  #follows = true;

  constructor(sigma: Sigma) {
    this.#sigma = sigma;
    const { x, y, ratio } = sigma.getCamera().getState();
    this.#x = new EasedValue(x);
    this.#y = new EasedValue(y);
    this.#ratio = new EasedValue(ratio);
  }

  get isFollowing(): boolean {
    return this.#follows;
  }

  /** A person moved it. */
  release(): void {
    this.#follows = false;
    this.#stop();
  }

  /** Goes to where all of these are seen. @param isAtOnce for the first time, and for people who want no motion */
  fit(points: Iterable<Point>, isAtOnce: boolean): void {
    this.#follows = true;
    const [left, right, top, bottom] = boundsOf(points);
    if (left > right) return;
    const { width, height } = this.#sigma.getDimensions();
    const margin = Math.min(MARGIN, width * MAX_MARGIN_SHARE, height * MAX_MARGIN_SHARE);
    const above = (margin * MARGIN_TOP) / MARGIN;
    const ratio = Math.max(
      MIN_FIT_RATIO,
      (right - left) / Math.max(width - 2 * margin, 1),
      (bottom - top) / Math.max(height - margin - above, 1),
    );
    // The renderer's y points upwards.
    const y = (top + bottom) / 2 + ((above - margin) / 2) * ratio;
    this.#goTo({ x: (left + right) / 2, y }, ratio, isAtOnce);
  }

  /** Puts a place into the middle, near enough to read. */
  lookAt(point: Point, isAtOnce: boolean): void {
    this.#follows = false;
    this.#goTo(point, Math.min(this.#sigma.getCamera().ratio, 0.9), isAtOnce);
  }

  /** @param factor above 1: nearer */
  zoom(factor: number, isAtOnce: boolean): void {
    this.#follows = false;
    this.#start();
    const camera = this.#sigma.getCamera();
    this.#ratio.target = camera.getBoundedRatio(this.#ratio.target / factor);
    if (isAtOnce) this.step(1e6);
  }

  /** @param right, @param down steps */
  pan(right: number, down: number, isAtOnce: boolean): void {
    this.#follows = false;
    this.#start();
    const here = this.#sigma.viewportToFramedGraph({ x: 0, y: 0 });
    const there = this.#sigma.viewportToFramedGraph({ x: right * PAN_STEP, y: down * PAN_STEP });
    this.#x.target += there.x - here.x;
    this.#y.target += there.y - here.y;
    if (isAtOnce) this.step(1e6);
  }

  /** @returns whether it moved */
  step(passedMs: number): boolean {
    const moved = [
      this.#x.step(passedMs, HALF_LIFE_MS, 1e-4),
      this.#y.step(passedMs, HALF_LIFE_MS, 1e-4),
      this.#ratio.step(passedMs, HALF_LIFE_MS, 1e-3),
    ].includes(true);
    if (moved) this.#sigma.getCamera().setState({ x: this.#x.now, y: this.#y.now, ratio: this.#ratio.now });
    return moved;
  }

  #goTo(point: Point, ratio: number, isAtOnce: boolean): void {
    this.#start();
    const { x, y } = this.#sigma.graphToFramedGraph(point);
    this.#x.target = x;
    this.#y.target = y;
    this.#ratio.target = this.#sigma.getCamera().getBoundedRatio(ratio);
    if (isAtOnce) this.step(1e6);
  }

  /** From where the view is now, which a person may have moved. */
  #start(): void {
    if (this.#x.now !== this.#x.target || this.#ratio.now !== this.#ratio.target) return;
    this.#stop();
  }

  #stop(): void {
    const { x, y, ratio } = this.#sigma.getCamera().getState();
    this.#x.jump(x);
    this.#y.jump(y);
    this.#ratio.jump(ratio);
  }
}

function boundsOf(points: Iterable<Point>): [left: number, right: number, top: number, bottom: number] {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { x, y } of points) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return [left, right, top, bottom];
}
