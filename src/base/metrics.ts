import { assert } from "./assert.ts";

export type MetricLabels = Readonly<Record<string, string>>;

export interface MetricOptions {
  /** `sealkv_<noun>_<unit>`, counters end in `_total`. */
  readonly name: string;
  /** One sentence without a full stop; the same for all series of a name. */
  readonly help: string;
  readonly labels?: MetricLabels;
}

export interface HistogramOptions extends MetricOptions {
  /** Ascending upper bounds, inclusive; +Inf is added. */
  readonly buckets: readonly number[];
}

export interface ReadOptions extends MetricOptions {
  readonly kind: "counter" | "gauge";
  /** Called at each scrape. */
  readonly read: () => number;
}

export interface ReadEachOptions {
  readonly name: string;
  readonly help: string;
  readonly kind: "counter" | "gauge";
  /** The one label that tells the series apart. */
  readonly label: string;
  /** Called at each scrape: label values and numbers. */
  readonly readEach: () => Iterable<readonly [value: string, number: number]>;
}

export interface ReadLabelledOptions
  extends Omit<ReadEachOptions, "label" | "readEach"> {
  /** Called at each scrape: all labels of a series, and its number. */
  readonly readEach: () => Iterable<
    readonly [labels: MetricLabels, number: number]
  >;
}

type MetricKind = "counter" | "gauge" | "histogram";

interface Series {
  lines(name: string, labels: string): string;
}

interface Family {
  readonly kind: MetricKind;
  readonly help: string;
  /** By label text, in order of declaration. */
  readonly series: Map<string, Series>;
}

const NAME = /^[a-z][a-z0-9_]*$/;

/** A number that only grows. Units are in the name. */
export class Counter implements Series {
  #value = 0;

  add(amount = 1): void {
    this.#value += amount;
  }

  get value(): number {
    return this.#value;
  }

  lines(name: string, labels: string): string {
    return line(name, labels, this.#value);
  }
}

/** A number that goes up and down. */
class Gauge implements Series {
  #value = 0;

  set(value: number): void {
    this.#value = value;
  }

  add(amount: number): void {
    this.#value += amount;
  }

  get value(): number {
    return this.#value;
  }

  lines(name: string, labels: string): string {
    return line(name, labels, this.#value);
  }
}

/** Counts observations by fixed upper bounds. */
export class Histogram implements Series {
  readonly #bounds: readonly number[];
  /** Observations per bound, not cumulated; the last is above all bounds. */
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    for (let i = 1; i < bounds.length; i += 1) {
      assert(
        (bounds[i - 1] as number) < (bounds[i] as number),
        "bucket bounds ascend",
      );
    }
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let i = 0;
    while (i < bounds.length && value > (bounds[i] as number)) i += 1;
    this.#counts[i] = (this.#counts[i] as number) + 1;
    this.#sum += value;
  }

  /** Cumulative, by ascending bounds; the last one is Infinity. */
  buckets(): readonly { readonly bound: number; readonly count: number }[] {
    let count = 0;
    return Array.from(this.#counts, (own, i) => {
      count += own;
      return { bound: this.#bounds[i] ?? Infinity, count };
    });
  }

  lines(name: string, labels: string): string {
    let text = "";
    const buckets = this.buckets();
    for (const { bound, count } of buckets) {
      const le = `le="${valueText(bound)}"`;
      const all = labels === "" ? le : `${labels},${le}`;
      text += line(`${name}_bucket`, all, count);
    }
    return text + line(`${name}_sum`, labels, this.#sum) +
      line(`${name}_count`, labels, buckets.at(-1)?.count ?? 0);
  }
}

/**
 * The numbers of one node, rendered as Prometheus text 0.0.4.
 *
 * Declaring a name and labels again returns the series that is there, so
 * callers may declare where they count; hot paths keep the series.
 */
export class MetricRegistry {
  readonly #families = new Map<string, Family>();

  counter(options: MetricOptions): Counter {
    return this.#series("counter", options, Counter, () => new Counter());
  }

  gauge(options: MetricOptions): Gauge {
    return this.#series("gauge", options, Gauge, () => new Gauge());
  }

  histogram(options: HistogramOptions): Histogram {
    return this.#series(
      "histogram",
      options,
      Histogram,
      () => new Histogram(options.buckets),
    );
  }

  /** Declares a series whose value is asked for at each scrape. */
  read(options: ReadOptions): void {
    const series = this.#family(options.kind, options).series;
    const labels = labelText(options.labels);
    assert(!series.has(labels), `${options.name} is read from one place`);
    series.set(labels, new ReadSeries(options.read));
  }

  /** Declares series that come and go, as members do: asked for each time. */
  readEach(options: ReadEachOptions): void {
    const { label, readEach } = options;
    this.readLabelled({
      ...options,
      readEach: () =>
        [...readEach()].map(([value, number]) =>
          [{ [label]: value }, number] as const
        ),
    });
  }

  /** The same for series that more than one label tells apart. */
  readLabelled(options: ReadLabelledOptions): void {
    const { series } = this.#family(options.kind, options);
    assert(series.size === 0, `${options.name} is read from one place`);
    series.set("", new EachSeries(options.readEach));
  }

  /** Prometheus text, families in order of declaration. */
  render(): string {
    let text = "";
    for (const [name, family] of this.#families) {
      text += `# HELP ${name} ${escapeHelp(family.help)}\n`;
      text += `# TYPE ${name} ${family.kind}\n`;
      for (const [labels, series] of family.series) {
        text += series.lines(name, labels);
      }
    }
    return text;
  }

  #series<S extends Series>(
    kind: MetricKind,
    options: MetricOptions,
    type: abstract new (...args: never[]) => S,
    make: () => S,
  ): S {
    const family = this.#family(kind, options);
    const labels = labelText(options.labels);
    const known = family.series.get(labels);
    if (known !== undefined) {
      assert(known instanceof type, `${options.name} is a ${kind}`);
      return known;
    }
    const made = make();
    family.series.set(labels, made);
    return made;
  }

  #family(
    kind: MetricKind,
    options: Pick<MetricOptions, "name" | "help">,
  ): Family {
    assert(NAME.test(options.name), `"${options.name}" is a metric name`);
    const known = this.#families.get(options.name);
    if (known === undefined) {
      const family = { kind, help: options.help, series: new Map() };
      this.#families.set(options.name, family);
      return family;
    }
    assert(known.kind === kind, `${options.name} is a ${known.kind}`);
    assert(known.help === options.help, `${options.name} has one help text`);
    return known;
  }
}

class ReadSeries implements Series {
  readonly #read: () => number;

  constructor(read: () => number) {
    this.#read = read;
  }

  lines(name: string, labels: string): string {
    return line(name, labels, this.#read());
  }
}

class EachSeries implements Series {
  readonly #readEach: ReadLabelledOptions["readEach"];

  constructor(readEach: ReadLabelledOptions["readEach"]) {
    this.#readEach = readEach;
  }

  lines(name: string): string {
    let text = "";
    for (const [labels, number] of this.#readEach()) {
      text += line(name, labelText(labels), number);
    }
    return text;
  }
}

function line(name: string, labels: string, value: number): string {
  const braces = labels === "" ? "" : `{${labels}}`;
  return `${name}${braces} ${valueText(value)}\n`;
}

function valueText(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}

/** `a="x",b="y"` in the order given. */
function labelText(labels: MetricLabels = {}): string {
  return Object.entries(labels).map(([name, value]) => {
    assert(NAME.test(name) && name !== "le", `"${name}" is a label name`);
    return `${name}="${escapeHelp(value).replaceAll('"', '\\"')}"`;
  }).join(",");
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
