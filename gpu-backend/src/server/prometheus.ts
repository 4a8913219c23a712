/** Prometheus' text format, version 0.0.4. @see https://prometheus.io/docs/instrumenting/exposition_formats/ */

export type Labels = Readonly<Record<string, string>>

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

interface Series<Value> {
  labels: Labels
  value: Value
}

abstract class Metric<Value> {
  readonly name: string
  readonly #help: string
  readonly #type: string
  readonly #series = new Map<string, Series<Value>>()

  constructor(type: string, name: string, help: string) {
    this.#type = type
    this.name = name
    this.#help = help
  }

  render(): string {
    const lines = [...this.#series.values()].flatMap(({ labels, value }) => this.samples(labels, value))
    return [`# HELP ${this.name} ${this.#help}`, `# TYPE ${this.name} ${this.#type}`, ...lines].join('\n')
  }

  protected abstract samples(labels: Labels, value: Value): string[]

  protected series(labels: Labels, initial: () => Value): Series<Value> {
    const key = label(labels)
    const series = this.#series.get(key) ?? { labels, value: initial() }
    this.#series.set(key, series)
    return series
  }
}

/** All metrics of a server, in the order they were made. */
export class Registry {
  readonly #prefix: string
  readonly #metrics: { render(): string }[] = []

  /** @param prefix of all names */
  constructor(prefix = '') {
    this.#prefix = prefix
  }

  /** @param name ends in `_total` */
  counter(name: string, help: string): Counter {
    return this.#add(new Counter(this.#prefix + name, help))
  }

  gauge(name: string, help: string): Gauge {
    return this.#add(new Gauge(this.#prefix + name, help))
  }

  /** @param bounds upper bounds, ascending; one without bound is added */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram {
    return this.#add(new Histogram(this.#prefix + name, help, bounds))
  }

  render(): string {
    return this.#metrics.map((metric) => `${metric.render()}\n`).join('')
  }

  #add<M extends { render(): string }>(metric: M): M {
    this.#metrics.push(metric)
    return metric
  }
}

class Scalar extends Metric<number> {
  protected samples(labels: Labels, value: number): string[] {
    return [`${this.name}${label(labels)} ${value}`]
  }
}

/** A sum that only grows. */
export class Counter extends Scalar {
  constructor(name: string, help: string) {
    super('counter', name, help)
  }

  /** Adding 0 makes a series known before anything was counted. */
  add(amount: number, labels: Labels = {}): void {
    this.series(labels, () => 0).value += amount
  }

  /** Takes over a sum that is kept elsewhere. */
  set(total: number, labels: Labels = {}): void {
    this.series(labels, () => 0).value = total
  }
}

/** What is the case now. */
export class Gauge extends Scalar {
  constructor(name: string, help: string) {
    super('gauge', name, help)
  }

  set(value: number, labels: Labels = {}): void {
    this.series(labels, () => 0).value = value
  }
}

interface Counts {
  buckets: number[]
  sum: number
  count: number
}

/** How often values fell into each range. */
export class Histogram extends Metric<Counts> {
  readonly #bounds: readonly number[]

  constructor(name: string, help: string, bounds: readonly number[]) {
    super('histogram', name, help)
    this.#bounds = bounds
  }

  /** @param times how many values of this size; default 1 */
  observe(value: number, labels: Labels = {}, times = 1): void {
    const counts = this.series(labels, () => ({ buckets: this.#bounds.map(() => 0), sum: 0, count: 0 })).value
    const bucket = this.#bounds.findIndex((bound) => value <= bound)
    if (bucket >= 0) counts.buckets[bucket]! += times
    counts.sum += value * times
    counts.count += times
  }

  protected samples(labels: Labels, { buckets, sum, count }: Counts): string[] {
    let below = 0
    return [
      ...this.#bounds.map(
        (le, i) => `${this.name}_bucket${label({ ...labels, le: `${le}` })} ${(below += buckets[i]!)}`,
      ),
      `${this.name}_bucket${label({ ...labels, le: '+Inf' })} ${count}`,
      `${this.name}_sum${label(labels)} ${sum}`,
      `${this.name}_count${label(labels)} ${count}`,
    ]
  }
}

function label(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const escape = (value: string): string => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
