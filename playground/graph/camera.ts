import type { Sigma } from 'sigma';
import { EasedValue } from './animation.js';
import type { Point } from './convex-hull.js';

const HALF_LIFE_MS = 140;
/** Space around the agents in pixels, for the names of groups. Larger at the top, where controls cover the graph. */
const MARGIN = 54;
const MARGIN_TOP = 82;
/** Largest margin as a share of the screen, for small screens. */
const MAX_MARGIN_SHARE = 0.1;
/** Smallest camera ratio when fitting, so that a few agents are not drawn too large. */
const MIN_FIT_RATIO = 0.55;
const PAN_STEP = 60;

/** Camera of the graph. Follows all agents until the user moves it, and again after `fit`. */
export class Camera {
  readonly #sigma: Sigma;
  readonly #x: EasedValue;
  readonly #y: EasedValue;
  readonly #ratio: EasedValue;
  #isFollowing = true;

  constructor(sigma: Sigma) {
    this.#sigma = sigma;
    const { x, y, ratio } = sigma.getCamera().getState();
    this.#x = new EasedValue(x);
    this.#y = new EasedValue(y);
    this.#ratio = new EasedValue(ratio);
  }

  get isFollowing(): boolean {
    return this.#isFollowing;
  }

  /** Stops following, because the user moved the camera. */
  release(): void {
    this.#isFollowing = false;
    this.#stop();
  }

  /**
   * Moves to show all points.
   *
   * @param isInstant whether to jump, for the first time and for reduced motion
   */
  fit(points: Iterable<Point>, isInstant: boolean): void {
    this.#isFollowing = true;
    const [left, right, top, bottom] = computeBounds(points);
    if (left > right) return;
    const { width, height } = this.#sigma.getDimensions();
    const margin = Math.min(MARGIN, width * MAX_MARGIN_SHARE, height * MAX_MARGIN_SHARE);
    const above = (margin * MARGIN_TOP) / MARGIN;
    const ratio = Math.max(
      MIN_FIT_RATIO,
      (right - left) / Math.max(width - 2 * margin, 1),
      (bottom - top) / Math.max(height - margin - above, 1),
    );
    // The y axis of the renderer points up.
    const y = (top + bottom) / 2 + ((above - margin) / 2) * ratio;
    this.#animateTo({ x: (left + right) / 2, y }, ratio, isInstant);
  }

  /** Moves a point to the center, close enough to read its label. */
  lookAt(point: Point, isInstant: boolean): void {
    this.#isFollowing = false;
    this.#animateTo(point, Math.min(this.#sigma.getCamera().ratio, 0.9), isInstant);
  }

  /** @param factor above 1 zooms in */
  zoom(factor: number, isInstant: boolean): void {
    this.#isFollowing = false;
    this.#start();
    const camera = this.#sigma.getCamera();
    this.#ratio.target = camera.getBoundedRatio(this.#ratio.target / factor);
    if (isInstant) this.step(1e6);
  }

  /** Moves the view by a number of steps in each direction. */
  pan(right: number, down: number, isInstant: boolean): void {
    this.#isFollowing = false;
    this.#start();
    const here = this.#sigma.viewportToFramedGraph({ x: 0, y: 0 });
    const there = this.#sigma.viewportToFramedGraph({ x: right * PAN_STEP, y: down * PAN_STEP });
    this.#x.target += there.x - here.x;
    this.#y.target += there.y - here.y;
    if (isInstant) this.step(1e6);
  }

  /**
   * Moves the camera.
   *
   * @returns whether it moved
   */
  step(elapsedMs: number): boolean {
    const moved = [
      this.#x.step(elapsedMs, HALF_LIFE_MS, 1e-4),
      this.#y.step(elapsedMs, HALF_LIFE_MS, 1e-4),
      this.#ratio.step(elapsedMs, HALF_LIFE_MS, 1e-3),
    ].includes(true);
    if (moved) this.#sigma.getCamera().setState({ x: this.#x.now, y: this.#y.now, ratio: this.#ratio.now });
    return moved;
  }

  #animateTo(point: Point, ratio: number, isInstant: boolean): void {
    this.#start();
    const { x, y } = this.#sigma.graphToFramedGraph(point);
    this.#x.target = x;
    this.#y.target = y;
    this.#ratio.target = this.#sigma.getCamera().getBoundedRatio(ratio);
    if (isInstant) this.step(1e6);
  }

  /** Starts an animation from the current view, which the user may have moved. */
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

function computeBounds(points: Iterable<Point>): [left: number, right: number, top: number, bottom: number] {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { x, y } of points) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return [left, right, top, bottom];
}
