import { type Color, mix } from './colors.js';

/** A value that goes to its target by halves: quickly at first, then ever more slowly, whatever the frame rate. */
export class EasedValue {
  now: number;
  target: number;

  constructor(start: number) {
    this.now = start;
    this.target = start;
  }

  /**
   * @param halfLifeMs half of the way is made in this time
   * @param near what counts as arrived
   * @returns whether it moved
   */
  step(passedMs: number, halfLifeMs: number, near: number): boolean {
    if (this.now === this.target) return false;
    const left = (this.target - this.now) * 2 ** (-passedMs / halfLifeMs);
    this.now = Math.abs(left) < near ? this.target : this.target - left;
    return true;
  }

  /** Is there at once. */
  jump(target: number): void {
    this.now = target;
    this.target = target;
  }
}

/** Few, because the renderer keeps every colour that it ever met. */
const FADE_STEPS = 8;
const FADE_MS = 350;

/** A colour that fades to its target. */
export class FadingColor {
  now: Color;
  #from: Color;
  #target: Color;
  #passedMs = FADE_MS;

  constructor(start: Color) {
    this.now = start;
    this.#from = start;
    this.#target = start;
  }

  to(target: Color): void {
    if (target === this.#target) return;
    this.#from = this.#target;
    this.#target = target;
    this.#passedMs = 0;
  }

  jump(target: Color): void {
    this.now = target;
    this.#target = target;
    this.#passedMs = FADE_MS;
  }

  /** @returns whether it changed */
  step(passedMs: number): boolean {
    if (this.now === this.#target) return false;
    this.#passedMs += passedMs;
    const share = Math.min(1, Math.ceil((this.#passedMs / FADE_MS) * FADE_STEPS) / FADE_STEPS);
    const next = share === 1 ? this.#target : mix(this.#from, this.#target, share);
    const changed = next !== this.now;
    this.now = next;
    return changed;
  }
}
