import {
  Counter,
  Gauge,
  Histogram,
  type CounterConfiguration,
  type GaugeConfiguration,
  type HistogramConfiguration,
} from 'prom-client';

// prom-client finds a series by its labels, at every request anew, which costs several times what counting does. Who holds a
// series of these just counts; prom-client learns of it when it is asked.

/** One series of a counter. */
export interface CountedSeries {
  count: number;
}

/** Registers a counter and returns a way to create its series, each at 0. */
export function countedSeries<Label extends string>(
  configuration: Pick<CounterConfiguration<Label>, 'name' | 'help' | 'labelNames' | 'registers'>,
): (labels: Record<Label, string>) => CountedSeries {
  const all: { readonly labels: Record<Label, string>; count: number }[] = [];
  new Counter<Label>({
    ...configuration,
    collect() {
      this.reset();
      for (const { labels, count } of all) this.inc(labels, count);
    },
  });
  return (labels) => {
    const series = { labels, count: 0 };
    all.push(series);
    return series;
  };
}

/** A gauge without labels. */
export interface Level {
  value: number;
}

/** Registers a gauge, at 0. */
export function level(configuration: Pick<GaugeConfiguration<never>, 'name' | 'help' | 'registers'>): Level {
  const held = { value: 0 };
  new Gauge({
    ...configuration,
    collect() {
      this.set(held.value);
    },
  });
  return held;
}

/** One series of a histogram. */
export interface ObservedSeries {
  readonly observe: (value: number) => void;
}

/** How many values of a series are kept until they are put into their buckets. */
const MAX_PENDING = 256;

/** Registers a histogram and returns a way to create its series, each at 0. */
export function observedSeries<Label extends string>(
  configuration: Pick<HistogramConfiguration<Label>, 'name' | 'help' | 'labelNames' | 'registers' | 'buckets'>,
): (labels: Record<Label, string>) => ObservedSeries {
  const flushes: (() => void)[] = [];
  const histogram = new Histogram<Label>({
    ...configuration,
    collect() {
      for (const flush of flushes) flush();
    },
  });
  return (labels) => {
    histogram.zero(labels);
    const pending: number[] = [];
    const flush = (): void => {
      for (const value of pending) histogram.observe(labels, value);
      pending.length = 0;
    };
    flushes.push(flush);
    return {
      observe: (value) => {
        if (pending.push(value) >= MAX_PENDING) flush();
      },
    };
  };
}
