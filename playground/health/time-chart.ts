import 'uplot/dist/uPlot.min.css';
import uPlot from 'uplot';
import { createElement, setText } from '../ui/dom.js';
import { SampleBuffer } from './sample-buffer.js';

export interface ChartLine {
  readonly name: string;
  /** Name of a CSS custom property that holds the color. */
  readonly color: string;
  readonly isFilled?: boolean;
}

export interface TimeChartOptions {
  readonly title: string;
  readonly lines: readonly ChartLine[];
  readonly format: (value: number | null) => string;
}

const HEIGHT = 92;
const SHOWN_SECONDS = 180;
const MIN_SHOWN_SECONDS = 20;
/** Maximum number of samples: one per second and additional ones after changes. */
const MAX_SAMPLES = 300;
const AXIS_WIDTH = 46;

/** Small chart of metrics over time, with the current values as text above it. */
export class TimeChart {
  readonly element: HTMLElement;
  readonly #options: TimeChartOptions;
  readonly #samples: SampleBuffer;
  readonly #plotted = createElement('div', 'plot');
  readonly #values: readonly HTMLElement[];
  #plot: uPlot | null = null;

  constructor(options: TimeChartOptions) {
    this.#options = options;
    this.#samples = new SampleBuffer(options.lines.length, MAX_SAMPLES);
    this.#plotted.setAttribute('aria-hidden', 'true');
    this.#values = options.lines.map(() => createElement('strong', ''));
    const words = createElement('figcaption', '', createElement('span', '', options.title));
    options.lines.forEach(({ name, color }, index) => {
      const key = createElement('span', 'key');
      key.style.backgroundColor = `var(${color})`;
      words.append(createElement('span', 'value', key, `${name} `, this.#values[index] ?? ''));
    });
    this.element = createElement('figure', 'chart', words, this.#plotted);
    new ResizeObserver(() => this.#fit()).observe(this.#plotted);
  }

  add(atSeconds: number, values: readonly (number | null)[]): void {
    this.#samples.add(atSeconds, values);
    this.#values.forEach((shown, index) => setText(shown, this.#options.format(values[index] ?? null)));
    this.#plot?.setData(this.#data());
  }

  /** Draws the chart again with the colors of the current theme. */
  repaint(): void {
    this.#plot?.destroy();
    this.#plot = null;
    this.#fit();
  }

  #data(): uPlot.AlignedData {
    return [this.#samples.times, ...this.#samples.values];
  }

  #fit(): void {
    const width = this.#plotted.clientWidth;
    if (width === 0) return;
    if (this.#plot === null) this.#plot = new uPlot(this.#settings(width), this.#data(), this.#plotted);
    else if (this.#plot.width !== width) this.#plot.setSize({ width, height: HEIGHT });
  }

  #settings(width: number): uPlot.Options {
    const styles = getComputedStyle(document.body);
    const color = (name: string): string => styles.getPropertyValue(name).trim();
    const axis: uPlot.Axis = {
      stroke: color('--dim'),
      font: '11px system-ui, sans-serif',
      grid: { stroke: color('--grid'), width: 1 },
      ticks: { show: false },
    };
    return {
      width,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      padding: [6, 6, 0, 0],
      scales: {
        x: {
          range: (_plot, first, last) => [
            Math.max(last - SHOWN_SECONDS, Math.min(first, last - MIN_SHOWN_SECONDS)),
            last,
          ],
        },
        y: { range: (_plot, _low, high) => [0, Math.max(high, 0.001) * 1.15] },
      },
      axes: [
        {
          ...axis,
          size: 20,
          space: 70,
          gap: 2,
          incrs: [5, 10, 30, 60],
          values: (_plot, times) => times.map(formatTime),
        },
        {
          ...axis,
          size: AXIS_WIDTH,
          space: 28,
          gap: 3,
          values: (_plot, values) => values.map((value) => (value === 0 ? '' : this.#options.format(value))),
        },
      ],
      series: [
        {},
        ...this.#options.lines.map((line) => ({
          stroke: color(line.color),
          width: 1.5,
          points: { show: false },
          ...(line.isFilled === true && { fill: `${color(line.color)}22` }),
        })),
      ],
    };
  }
}

/** Formats a time as `14:03:20`. */
function formatTime(atSeconds: number): string {
  return new Date(atSeconds * 1_000).toLocaleTimeString('en-GB');
}
