import { describe, expect, test } from 'vitest';
import { DrawRate } from '../../playground/model/draw-rate.js';
import { ManualClock } from '../support/manual-clock.js';

/** Page that draws frames on an injected clock, one second after the other. */
class DrawnPage {
  readonly sent: (number | null)[] = [];
  readonly rate = new DrawRate((maxHz) => this.sent.push(maxHz));
  readonly #clock = new ManualClock(0);

  /** @param fps frames per second, or a function of the current limit */
  draw(seconds: number, fps: number | ((maxHz: number | null) => number)): this {
    for (let second = 0; second < seconds; second += 1) {
      const frames = typeof fps === 'number' ? fps : fps(this.rate.maxHz);
      for (let frame = 0; frame < frames; frame += 1) this.rate.addFrame(1_000 / frames);
      this.wait(1);
    }
    return this;
  }

  wait(seconds: number): this {
    for (let second = 0; second < seconds; second += 1) {
      this.#clock.advance(1_000);
      this.rate.tick(this.#clock.now());
    }
    return this;
  }

  setVisible(isVisible: boolean): this {
    this.rate.setVisible(isVisible, this.#clock.now());
    return this;
  }
}

describe('DrawRate', () => {
  test('requests no limit from a page that draws every update', () => {
    expect(new DrawnPage().draw(60, 60).sent).toEqual([]);
  });

  test.each([
    [35, 30],
    [20, 15],
    [5, 4],
    [1, 1],
  ])('limits the rate of a page that draws %d frames per second to %d Hz', (fps, maxHz) => {
    expect(new DrawnPage().draw(30, fps).sent).toEqual([maxHz]);
  });

  test('requests nothing while nothing moves, or after a single slow frame', () => {
    const page = new DrawnPage().wait(30);
    page.rate.addFrame(2_500);
    expect(page.wait(30).sent).toEqual([]);
  });

  test('raises the limit step by step when the page draws faster', () => {
    const page = new DrawnPage().draw(10, 5);
    expect(page.draw(120, 60).sent).toEqual([4, 8, 15, 30, null]);
  });

  test('raises the limit ever later if the page becomes slow each time', () => {
    // The page draws well at 15 Hz and badly at 30 Hz.
    const page = new DrawnPage().draw(3_600, (maxHz) => (maxHz !== null && maxHz <= 15 ? 60 : 18));
    expect(page.sent.length).toBeLessThan(40);
    const changesOfFirstHour = page.sent.length;
    page.draw(3_600, (maxHz) => (maxHz !== null && maxHz <= 15 ? 60 : 18));
    expect(page.sent.length - changesOfFirstHour).toBeLessThanOrEqual(changesOfFirstHour);
    expect(page.sent[0]).toBe(15);
  });

  test('does not oscillate between two limits when the rate varies around one of them', () => {
    let second = 0;
    const page = new DrawnPage().draw(600, () => ((second += 1) % 2 === 0 ? 40 : 32));
    expect(page.sent).toEqual([30]);
  });

  test('requests the lowest rate while the page is hidden, and none when it is visible again', () => {
    const page = new DrawnPage().draw(10, 20).setVisible(false).wait(4);
    expect(page.sent).toEqual([15]);
    expect(page.wait(10).sent).toEqual([15, 1]);
    expect(page.setVisible(true).sent).toEqual([15, 1, null]);
    expect(page.draw(4, 20).sent).toEqual([15, 1, null, 15]);
  });

  test('keeps the limit when the page is hidden for a moment only', () => {
    const page = new DrawnPage().draw(10, 20).setVisible(false).wait(2).setVisible(true);
    expect(page.wait(10).sent).toEqual([15]);
  });
});
