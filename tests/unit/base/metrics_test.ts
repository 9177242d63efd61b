import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { MetricRegistry } from "../../../src/base/metrics.ts";

Deno.test("render() writes counters and gauges as Prometheus text", () => {
  const registry = new MetricRegistry();
  const writes = registry.counter({
    name: "writes_total",
    help: "Writes",
    labels: { kind: "set" },
  });
  writes.add();
  writes.add(2);
  const open = registry.gauge({ name: "open", help: "Open things" });
  open.set(5);
  open.add(-7);
  assert.equal(writes.value, 3);
  assert.equal(open.value, -2);
  assert.equal(
    registry.render(),
    [
      "# HELP writes_total Writes",
      "# TYPE writes_total counter",
      'writes_total{kind="set"} 3',
      "# HELP open Open things",
      "# TYPE open gauge",
      "open -2",
      "",
    ].join("\n"),
  );
});

Deno.test("counter() of known name and labels is the same series", () => {
  const registry = new MetricRegistry();
  const options = { name: "a_total", help: "A", labels: { x: "1" } };
  registry.counter(options).add(4);
  assert.equal(registry.counter(options).value, 4);
  registry.counter({ ...options, labels: { x: "2" } }).add();
  assert.match(
    registry.render(),
    /# TYPE a_total counter\na_total\{x="1"\} 4\na_total\{x="2"\} 1\n$/,
  );
});

Deno.test("render() escapes label values and help texts", () => {
  const registry = new MetricRegistry();
  registry.counter({
    name: "a_total",
    help: 'Back\\slash and\nnew "line"',
    labels: { path: 'C:\\x "y"\nz' },
  });
  const [help, , series] = registry.render().split("\n");
  assert.equal(help, '# HELP a_total Back\\\\slash and\\nnew "line"');
  assert.equal(series, 'a_total{path="C:\\\\x \\"y\\"\\nz"} 0');
});

Deno.test("Histogram.buckets() cumulates", () => {
  const seconds = new MetricRegistry().histogram({
    ...{ name: "a_seconds", help: "Time", buckets: [0.5, 1] },
  });
  for (const value of [0.1, 0.5, 1, 7]) seconds.observe(value);
  assert.deepEqual(seconds.buckets(), [
    { bound: 0.5, count: 2 },
    { bound: 1, count: 3 },
    { bound: Infinity, count: 4 },
  ]);
});

Deno.test("Histogram.observe() counts a bound in its own bucket", () => {
  const registry = new MetricRegistry();
  const seconds = registry.histogram({
    name: "seconds",
    help: "Time",
    labels: { m: "r" },
    buckets: [0.5, 1],
  });
  for (const value of [0.25, 0.5, 0.75, 1, 8]) seconds.observe(value);
  assert.deepEqual(registry.render().split("\n").slice(2), [
    'seconds_bucket{m="r",le="0.5"} 2',
    'seconds_bucket{m="r",le="1"} 4',
    'seconds_bucket{m="r",le="+Inf"} 5',
    'seconds_sum{m="r"} 10.5',
    'seconds_count{m="r"} 5',
    "",
  ]);
});

Deno.test("read() asks for the value at each scrape", () => {
  const registry = new MetricRegistry();
  let value = 1;
  registry.read({ kind: "gauge", name: "v", help: "V", read: () => value });
  assert.match(registry.render(), /^v 1$/m);
  value = Infinity;
  assert.match(registry.render(), /^v \+Inf$/m);
  value = -Infinity;
  assert.match(registry.render(), /^v -Inf$/m);
  value = NaN;
  assert.match(registry.render(), /^v NaN$/m);
});

const MISUSES: [name: string, misuse: (registry: MetricRegistry) => void][] = [
  ["a bad name", (r) => r.counter({ name: "a-b", help: "" })],
  [
    "a bad label",
    (r) => r.counter({ name: "a", help: "", labels: { "b-c": "" } }),
  ],
  [
    "the label le",
    (r) => r.counter({ name: "a", help: "", labels: { le: "" } }),
  ],
  ["another kind", (r) => {
    r.counter({ name: "a", help: "" });
    r.gauge({ name: "a", help: "" });
  }],
  ["another help", (r) => {
    r.counter({ name: "a", help: "x" });
    r.counter({ name: "a", help: "y" });
  }],
  ["two readers", (r) => {
    r.read({ kind: "gauge", name: "a", help: "", read: () => 0 });
    r.read({ kind: "gauge", name: "a", help: "", read: () => 0 });
  }],
  ["a reader's name to count", (r) => {
    r.read({ kind: "gauge", name: "a", help: "", read: () => 0 });
    r.gauge({ name: "a", help: "" });
  }],
  [
    "unsorted buckets",
    (r) => r.histogram({ name: "a", help: "", buckets: [2, 1] }),
  ],
];

for (const [name, misuse] of MISUSES) {
  Deno.test(`MetricRegistry refuses ${name}`, () => {
    assert.throws(() => misuse(new MetricRegistry()), InvariantError);
  });
}

Deno.test("readEach() asks for its series at each scrape", () => {
  const registry = new MetricRegistry();
  const lag = new Map([["n1", 0], ['n"2', 7]]);
  const options = {
    name: "lag",
    help: "Lag",
    kind: "gauge",
    label: "member",
    readEach: () => lag,
  } as const;
  registry.readEach(options);
  const head = "# HELP lag Lag\n# TYPE lag gauge\n";
  assert.equal(
    registry.render(),
    `${head}lag{member="n1"} 0\nlag{member="n\\"2"} 7\n`,
  );
  lag.clear();
  assert.equal(registry.render(), head);
  assert.throws(() => registry.readEach(options), InvariantError);
});
