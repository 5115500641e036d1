import 'uplot/dist/uPlot.min.css';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { usePage } from '../components/page-context.js';
import type { SampleBuffer } from '../model/sample-buffer.js';

export interface ChartLine {
  readonly name: string;
  /** Name of a CSS custom property that holds the color. */
  readonly color: string;
  readonly isFilled?: boolean;
}

export interface TimeChartProps {
  readonly title: string;
  /** Lines of the chart, one for each metric of the samples. Must not change. */
  readonly lines: readonly ChartLine[];
  readonly format: (value: number | null) => string;
  /** Samples, to which others are added in place. */
  readonly samples: SampleBuffer;
}

const HEIGHT = 92;
const SHOWN_SECONDS = 180;
const MIN_SHOWN_SECONDS = 20;
const AXIS_WIDTH = 46;

/** Small chart of metrics over time, with the current values as text above it. */
export function TimeChart({ title, lines, format, samples }: TimeChartProps): JSX.Element {
  const { health, theme } = usePage();
  const container = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  useEffect(() => {
    const element = container.current;
    if (element === null) return undefined;
    const fit = (): void => {
      const width = element.clientWidth;
      if (width === 0) return;
      if (plot.current === null) plot.current = new uPlot(settings(width, lines, format), dataOf(samples), element);
      else if (plot.current.width !== width) plot.current.setSize({ width, height: HEIGHT });
    };
    const observer = new ResizeObserver(fit);
    observer.observe(element);
    fit();
    return () => {
      observer.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
    // The colors of a theme are read when the chart is created.
  }, [theme.value]);
  const { timestamp = null } = health.value.health ?? {};
  useEffect(() => {
    plot.current?.setData(dataOf(samples));
  }, [timestamp]);
  return (
    <figure class="chart">
      <figcaption>
        <span>{title}</span>
        {lines.map(({ name, color }, index) => (
          <span key={name} class="value">
            <span class="key" style={{ backgroundColor: `var(${color})` }} />
            {name} <strong>{format(samples.values[index]?.at(-1) ?? null)}</strong>
          </span>
        ))}
      </figcaption>
      <div ref={container} class="plot" aria-hidden="true" />
    </figure>
  );
}

function dataOf({ times, values }: SampleBuffer): uPlot.AlignedData {
  return [times, ...values];
}

function settings(width: number, lines: readonly ChartLine[], format: TimeChartProps['format']): uPlot.Options {
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
        values: (_plot, values) => values.map((value) => (value === 0 ? '' : format(value))),
      },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        stroke: color(line.color),
        width: 1.5,
        points: { show: false },
        ...(line.isFilled === true && { fill: `${color(line.color)}22` }),
      })),
    ],
  };
}

/** Formats a time as `14:03:20`. */
function formatTime(atSeconds: number): string {
  return new Date(atSeconds * 1_000).toLocaleTimeString('en-GB');
}
