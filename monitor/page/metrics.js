// metrics.js - latencies out of /metrics. A histogram there counts since the
// start, so what is shown is of the time between two fetches.
import * as api from './api.js'

const FAMILIES = { commit: 'streamd_commit_duration_seconds', fsync: 'streamd_store_sync_duration_seconds' }
const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/
const RETRY = 30 // fetches

// {family: [[upper bound, count], ...]} of histograms in seconds.
export function histograms (text) {
  const found = new Map()
  for (const line of text.split('\n')) {
    const match = line.startsWith('#') ? null : LINE.exec(line)
    const bound = match?.[1].endsWith('_bucket') ? /le="([^"]+)"/.exec(match[2] ?? '')?.[1] : undefined
    if (bound !== undefined) {
      const family = match[1].slice(0, -'_bucket'.length)
      found.set(family, [...(found.get(family) ?? []), [bound === '+Inf' ? Infinity : Number(bound), Number(match[3])]])
    }
  }
  return found
}

// Of buckets with counts up to each bound; null if nothing was counted.
export function quantile (buckets, q) {
  const total = buckets.at(-1)?.[1] ?? 0
  if (!(total > 0)) {
    return null
  }
  let [low, under] = [0, 0]
  for (const [bound, count] of buckets) {
    if (count >= total * q) {
      return bound === Infinity ? low : low + (bound - low) * (total * q - under) / Math.max(1, count - under)
    }
    [low, under] = [bound, count]
  }
  return low
}

function since (buckets, before) {
  const old = new Map(before)
  return buckets.map(([bound, count]) => [bound, count - (old.get(bound) ?? 0)])
}

export class Metrics {
  constructor () {
    this.waiting = 0
    this.before = new Map()
    this.last = new Map()
    this.kinds = new Set() // of FAMILIES: there at all
  }

  async fetch () {
    if (this.waiting > 0) {
      this.waiting--
      return
    }
    try {
      const text = await api.metrics()
      this.before = this.last
      this.last = histograms(text)
    } catch (error) {
      if (error.status === 0) {
        throw error
      }
      this.waiting = RETRY // not of this server, or not now
      this.before = this.last = new Map()
    }
  }

  // {commit50, commit99, ...} of the time between the last two fetches.
  sample () {
    const sample = {}
    for (const [kind, name] of Object.entries(FAMILIES)) {
      if (!this.last.has(name) || !this.before.has(name)) {
        continue
      }
      this.kinds.add(kind)
      const buckets = since(this.last.get(name), this.before.get(name))
      sample[`${kind}50`] = quantile(buckets, 0.5)
      sample[`${kind}99`] = quantile(buckets, 0.99)
    }
    return sample
  }
}
