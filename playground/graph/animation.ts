import { type Color, mix } from './colors.js';

/** Number that approaches its target exponentially, independent of the frame rate. */
export class EasedValue {
  now: number;
  target: number;

  constructor(start: number) {
    this.now = start;
    this.target = start;
  }

  /**
   * Moves the value.
   *
   * @param halfLifeMs time in milliseconds in which the distance halves
   * @param tolerance distance at which the value jumps to its target
   * @returns whether the value changed
   */
  step(elapsedMs: number, halfLifeMs: number, tolerance: number): boolean {
    if (this.now === this.target) return false;
    const distance = (this.target - this.now) * 2 ** (-elapsedMs / halfLifeMs);
    this.now = Math.abs(distance) < tolerance ? this.target : this.target - distance;
    return true;
  }

  /** Sets value and target. */
  jump(target: number): void {
    this.now = target;
    this.target = target;
  }
}

/** Number of steps of a fade. Small, because the renderer caches every color it has seen. */
const FADE_STEPS = 8;
const FADE_MS = 350;

/** Color that fades to its target. */
export class FadingColor {
  now: Color;
  #from: Color;
  #target: Color;
  #elapsedMs = FADE_MS;

  constructor(start: Color) {
    this.now = start;
    this.#from = start;
    this.#target = start;
  }

  fadeTo(target: Color): void {
    if (target === this.#target) return;
    this.#from = this.#target;
    this.#target = target;
    this.#elapsedMs = 0;
  }

  jump(target: Color): void {
    this.now = target;
    this.#target = target;
    this.#elapsedMs = FADE_MS;
  }

  /**
   * Moves the color.
   *
   * @returns whether the color changed
   */
  step(elapsedMs: number): boolean {
    if (this.now === this.#target) return false;
    this.#elapsedMs += elapsedMs;
    const share = Math.min(1, Math.ceil((this.#elapsedMs / FADE_MS) * FADE_STEPS) / FADE_STEPS);
    const next = share === 1 ? this.#target : mix(this.#from, this.#target, share);
    const changed = next !== this.now;
    this.now = next;
    return changed;
  }
}
