import type { Agent } from '@swarmlens/client';
import { describe, expect, test } from 'vitest';
import type { StyledLine } from '../../src/cli/watch/render-frame.js';
import { WatchController, type WatchDisplay } from '../../src/cli/watch/watch-controller.js';
import { ManualClock } from '../support/manual-clock.js';
import { agentOf, CONNECTION, mapOf, serverOf, textOf } from './watch-fixtures.js';

class FakeDisplay implements WatchDisplay {
  size = { columns: 80, rows: 24 };
  readonly hasKeys = true;
  frames: string[][] = [];
  readonly effects: string[] = [];

  draw(lines: readonly StyledLine[]): void {
    this.frames.push(lines.map(textOf));
  }

  suspend(): void {
    this.effects.push('suspend');
  }

  redraw(): void {
    this.effects.push('redraw');
  }

  get lastFrame(): string[] {
    return this.frames.at(-1) ?? [];
  }
}

function start(agents: readonly Agent[]) {
  const clock = new ManualClock();
  const display = new FakeDisplay();
  const data = { agents: mapOf(agents) };
  const controller = new WatchController({
    read: () => ({
      url: 'http://127.0.0.1:4000',
      connection: CONNECTION,
      agents: data.agents,
      servers: [serverOf('flow')],
      serversError: null,
      effectiveHz: 10,
    }),
    clock,
    onQuit: () => display.effects.push('quit'),
  });
  controller.attach(display);
  return { clock, display, controller, data };
}

const many = (count: number): Agent[] => Array.from({ length: count }, (_, index) => agentOf(`a${index}`));

describe('WatchController', () => {
  test('draws new data at most ten times per second', () => {
    const { clock, display, controller } = start(many(3));
    using _controller = controller;
    for (let ms = 0; ms < 1_000; ms += 1) {
      controller.update();
      clock.advance(1);
    }
    expect(display.frames.length).toBeGreaterThan(5);
    expect(display.frames.length).toBeLessThanOrEqual(11);
  });

  test('draws all keys of one turn of the event loop together, without the interval of data', () => {
    const { clock, display, controller } = start(many(30));
    using _controller = controller;
    for (let count = 0; count < 20; count += 1) controller.pressKey({ name: 'down' });
    expect(display.frames).toHaveLength(1);
    clock.advance(0);
    expect(display.frames).toHaveLength(2);
    expect(display.lastFrame.find((line) => line.startsWith('>'))).toContain('a27 ');
  });

  test('draws the ages each second without new data', () => {
    const { clock, display, controller } = start(many(1));
    using _controller = controller;
    clock.advance(3_000);
    expect(display.frames).toHaveLength(4);
  });

  test('opens a page and scrolls to its end within one turn', () => {
    const { clock, display, controller } = start(many(3));
    using _controller = controller;
    controller.pressKey({ name: 'text', text: '?' });
    controller.pressKey({ name: 'end' });
    clock.advance(0);
    expect(display.lastFrame.join('\n')).toMatch(/^– +Unknown$/m);
  });

  test('keeps the selected row visible when the window becomes smaller', () => {
    const { display, controller } = start(many(100));
    using _controller = controller;
    for (let count = 0; count < 15; count += 1) controller.pressKey({ name: 'down' });
    display.size = { columns: 40, rows: 9 };
    controller.draw();
    expect(display.lastFrame.filter((line) => line.startsWith('>'))).toHaveLength(1);
    expect(display.lastFrame.length).toBeLessThanOrEqual(9);
  });

  test('passes on quit, suspend and redraw', () => {
    const { display, controller } = start(many(1));
    using _controller = controller;
    for (const name of ['suspend', 'redraw', 'quit'] as const) controller.pressKey({ name });
    expect(display.effects).toEqual(['suspend', 'redraw', 'quit']);
  });

  test('formats only visible rows of ten thousand agents', () => {
    let reads = 0;
    const agents = many(10_000).map((agent) =>
      Object.defineProperty(agent, 'context', {
        get: () => {
          reads += 1;
          return null;
        },
      }),
    );
    const { clock, display, controller } = start(agents);
    using _controller = controller;
    // The cell is formatted, and its color depends on the value.
    const readsPerRow = 3;
    const visible = display.lastFrame.filter((line) => line.includes('busy')).length;
    expect(visible).toBeGreaterThan(10);
    expect(reads).toBeLessThanOrEqual(readsPerRow * visible);
    reads = 0;
    controller.pressKey({ name: 'page-down' });
    clock.advance(0);
    expect(reads).toBeGreaterThan(0);
    expect(reads).toBeLessThanOrEqual(2 * readsPerRow * visible);
  });
});
