// state.js - what the page knows of the server, and the polling that keeps it
// fresh: the totals every two seconds, the lists only while a view shows them
// and the less often the longer they take.
import * as api from './api.js'
import { Limits, fill } from './limits.js'
import { Metrics } from './metrics.js'

export const PAGE = 500 // entries fetched at a time
const TICK = 2000 // ms
const KEEP = 3700 * 1000 // ms of samples
const SHARE = 12 // a list is fetched at most a twelfth of the time

const SAVED = 'streamd-samples'

const sleepers = new Set()

// Runs work again and again, pausing what pause(ms it took) says; not while
// the page is hidden.
export class Task {
  constructor (work, pause) {
    Object.assign(this, { work, pause, running: false, timer: null, busy: false })
  }

  start () {
    if (!this.running) {
      this.running = true
      sleepers.add(this)
      this.now()
    }
  }

  stop () {
    this.running = false
    sleepers.delete(this)
    clearTimeout(this.timer)
  }

  async now () {
    clearTimeout(this.timer)
    if (this.busy) {
      this.again = true
      return
    }
    this.busy = true
    const began = performance.now()
    await this.work()
    this.busy = false
    if (this.running && !document.hidden) {
      this.timer = setTimeout(() => this.now(), this.again ? 0 : this.pause(performance.now() - began))
    }
    this.again = false
  }
}

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) {
    sleepers.forEach(task => task.now())
  }
})

// Groups share one position; the others have one each.
function lagOf (channel) {
  const sent = new Map()
  for (const sub of channel.subscriptions) {
    const key = sub.queue_name ? `group ${sub.queue_name}` : `${sub.client_id} ${sub.inbox} ${sub.durable_name}`
    sent.set(key, Math.max(sent.get(key) ?? 0, sub.last_sent))
  }
  return sent.size === 0 ? null : Math.max(0, ...[...sent.values()].map(each => channel.last_seq - each))
}

class State {
  constructor () {
    Object.assign(this, {
      connection: { kind: 'wait', error: null, at: null },
      server: null,
      store: null,
      limits: null,
      samples: [],
      metrics: new Metrics(),
      channels: new Map(),
      channelsComplete: false,
      clients: new Map(),
      clientsComplete: false,
      listeners: new Set()
    })
    this.totals = new Task(() => this.fetchTotals(), () => TICK)
    this.channelList = new Task(() => this.fetchChannels(), spent => Math.min(60000, Math.max(TICK, spent * SHARE)))
    this.clientList = new Task(() => this.fetchClients(), spent => Math.min(60000, Math.max(TICK, spent * SHARE)))
    setInterval(() => this.emit(), 1000)
    addEventListener('pagehide', () => this.save())
  }

  // Calls listener after each change, once a frame at most; returns an off.
  on (listener) {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  emit () {
    if (this.pending) {
      return
    }
    this.pending = true
    requestAnimationFrame(() => {
      this.pending = false
      this.listeners.forEach(listener => listener(this))
    })
  }

  isStale () {
    return this.connection.kind !== 'live'
  }

  // ---- over a reload ----

  save () {
    try {
      sessionStorage.setItem(SAVED, JSON.stringify({ server: this.server?.server_id, samples: this.samples }))
    } catch (error) { /* storage is off or full: the charts begin anew */ }
  }

  restore (server) {
    try {
      const saved = JSON.parse(sessionStorage.getItem(SAVED))
      if (saved?.server === server.server_id) {
        this.samples = [...saved.samples, { time: saved.samples.at(-1)?.time ?? 0, gap: true }]
      }
    } catch (error) { /* as if there were none */ }
  }

  // ---- totals ----

  async fetchTotals () {
    try {
      const server = await api.server()
      if (this.store === null || this.ticks++ % 5 === 0 || server.server_id !== this.server?.server_id) {
        this.ticks = 1
        this.takeStore(await api.store())
      }
      await this.metrics.fetch()
      this.skew = Date.parse(server.now) - Date.now()
      this.takeServer(server)
      this.connection = { kind: 'live', error: null, at: Date.now() }
    } catch (error) {
      if (!(error instanceof api.ApiError)) {
        console.error(error)
      }
      this.connection = { ...this.connection, kind: 'stale', error: error.message }
    }
    this.emit()
  }

  takeStore (store) {
    this.store = store
    const text = JSON.stringify(store.limits)
    if (text !== this.limitsText) {
      this.limitsText = text
      this.limits = new Limits(store.limits)
    }
  }

  takeServer (server) {
    const before = this.server
    this.server = server
    const time = Date.parse(server.now)
    if (before === null) {
      this.restore(server)
    }
    if (before !== null && before.server_id !== server.server_id) { // restarted
      this.channels.clear()
      this.clients.clear()
      this.channelsComplete = this.clientsComplete = false
      this.samples.push({ time, gap: true })
      return
    }
    const elapsed = before === null ? 0 : (time - Date.parse(before.now)) / 1000
    if (elapsed <= 0) {
      return
    }
    const perSecond = key => Math.max(0, (server[key] - before[key]) / elapsed)
    if (elapsed > 10) { // hidden or cut off meanwhile: an average would mislead
      this.samples.push({ time, gap: true })
    } else {
      this.samples.push({
        time,
        in: perSecond('in_msgs'),
        out: perSecond('out_msgs'),
        inBytes: perSecond('in_bytes'),
        outBytes: perSecond('out_bytes'),
        ...this.metrics.sample()
      })
    }
    while (this.samples.length > 0 && this.samples[0].time < time - KEEP) {
      this.samples.shift()
    }
  }

  // ---- lists ----

  // Merges pages into map; entries that no page had are gone.
  async sweep (map, page, take) {
    const seen = new Set()
    for (let offset = 0; ; offset += PAGE) {
      const answer = await page(offset, PAGE)
      const entries = answer.channels || answer.clients || []
      entries.forEach(entry => seen.add(take(entry, Date.parse(answer.now))))
      this.emit()
      if (offset + PAGE >= answer.total || entries.length === 0) {
        break
      }
    }
    for (const key of map.keys()) {
      if (!seen.has(key)) {
        map.delete(key)
      }
    }
  }

  async fetchList (map, page, take, complete) {
    try {
      await this.sweep(map, page, take)
      this[complete] = true
      this.version = (this.version ?? 0) + 1
    } catch (error) { // shown by the totals, which fail as well
      if (!(error instanceof api.ApiError)) {
        console.error(error)
      }
    }
    this.emit()
  }

  async fetchChannels () {
    if (this.limits === null) { // how full they are, from the first on
      await api.store().then(store => this.takeStore(store), () => {})
    }
    return this.fetchList(this.channels, api.channels, (entry, now) => this.takeChannel(entry, now), 'channelsComplete')
  }

  fetchClients () {
    return this.fetchList(this.clients, api.clients, entry => {
      this.clients.set(entry.id, entry)
      return entry.id
    }, 'clientsComplete')
  }

  takeChannel (entry, now) {
    const before = this.channels.get(entry.name)
    const subscriptions = entry.subscriptions || []
    const channel = { ...entry, subscriptions, now, rate: before?.rate ?? null, base: before?.base }
    if (!channel.base || channel.base.last > entry.last_seq) {
      channel.base = { at: now, last: entry.last_seq }
    } else if (now - channel.base.at >= 1000) {
      channel.rate = (entry.last_seq - channel.base.last) * 1000 / (now - channel.base.at)
      channel.base = { at: now, last: entry.last_seq }
    }
    channel.lag = lagOf(channel)
    channel.pending = subscriptions.reduce((sum, sub) => sum + sub.pending_count, 0)
    channel.stalled = subscriptions.filter(sub => sub.is_stalled && !sub.is_offline).length
    channel.offline = subscriptions.filter(sub => sub.is_offline).length
    channel.fill = fill(channel, this.limits?.of(entry.name))
    this.channels.set(entry.name, channel)
    return entry.name
  }

  // Those in sight while the whole list takes its time.
  async fetchSome (names) {
    for (const name of names) {
      await this.fetchChannel(name).catch(() => {})
    }
  }

  // One channel, fresh; null if it is not there.
  async fetchChannel (name) {
    try {
      const entry = await api.channel(name)
      this.takeChannel(entry, Date.now() + (this.skew ?? 0))
    } catch (error) {
      if (error.status !== 404) {
        throw error
      }
      this.channels.delete(name)
    }
    this.emit()
    return this.channels.get(name) ?? null
  }
}

export const state = new State()
