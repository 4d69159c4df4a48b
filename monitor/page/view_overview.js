// view_overview.js - the server at a glance.
import { card, emptyNote, figures, h, Keyed, segments, setAttribute, setText, show } from './dom.js'
import { bytes, bytesParts, number, plural, rate, seconds, short, span } from './format.js'
import { LineChart } from './charts.js'
import { level } from './limits.js'

const ROWS = 8

export const link = name => `#/channels/${encodeURIComponent(name)}`

export function stateWords (server) {
  return { STANDALONE: 'Standalone', FT_ACTIVE: 'Active', FT_STANDBY: 'Standby', CLUSTERED: server.role || 'Clustered', FAILED: 'Failed', SHUTDOWN: 'Shutting down' }[server.state] || server.state
}

function head () {
  const [title, pill, sub] = [h('h1', {}, 'Server'), h('span', { class: 'pill', 'data-kind': 'good' }), h('span')]
  return {
    element: h('div', { class: 'head' }, h('div', {}, title, h('div', { class: 'sub' }, pill, sub))),
    update (server) {
      setText(title, server.cluster_id || 'Server')
      setText(pill, stateWords(server))
      setAttribute(pill, 'data-kind', { FAILED: 'bad', SHUTDOWN: 'warn', FT_STANDBY: 'warn' }[server.state] || 'good')
      setText(sub, `up ${span((Date.parse(server.now) - Date.parse(server.start_time)) / 1000)}`)
    }
  }
}

function charts () {
  const byRate = (keys, text, binary) => ({ series: keys, text, binary })
  const made = {
    messages: new LineChart({ label: 'Messages per second', ...byRate([{ name: 'In', value: s => s.in }, { name: 'Out', value: s => s.out }], rate) }),
    bytes: new LineChart({ label: 'Bytes per second', ...byRate([{ name: 'In', value: s => s.inBytes }, { name: 'Out', value: s => s.outBytes }], bytes, true) }),
    commit: new LineChart({ label: 'Commit latency', series: [{ name: 'Median', value: s => s.commit50 }, { name: '99th percentile', value: s => s.commit99 }], text: seconds, none: 'No commit in this time' }),
    fsync: new LineChart({ label: 'Fsync latency', series: [{ name: 'Median', value: s => s.fsync50 }, { name: '99th percentile', value: s => s.fsync99 }], text: seconds, none: 'No fsync in this time' })
  }
  const cards = Object.fromEntries(Object.entries(made).map(([kind, chart]) => [kind, card(chart.label, chart.element)]))
  return { made, cards }
}

// What an operator should look at, worst first.
export function attention (channels) {
  const found = []
  for (const channel of channels) {
    if (channel.stalled > 0) {
      found.push({ channel, kind: 'warn', word: 'stalled', weight: 3e15 + channel.lag, text: `${plural(channel.pending, 'message')} unacked` })
    }
    if (channel.offline > 0 && channel.lag > 0) {
      found.push({ channel, kind: 'mute', word: 'offline', weight: 1e15 + channel.lag, text: `${short(channel.lag)} behind` })
    }
    if (channel.fill >= 0.8) {
      const full = level(channel.fill) === 'full'
      found.push({ channel, kind: full ? 'bad' : 'warn', word: full ? 'full' : 'filling', weight: 2e15 + channel.fill, text: full ? 'oldest make room' : `${Math.floor(channel.fill * 100)} % of its limit` })
    }
  }
  return found.sort((a, b) => b.weight - a.weight)
}

function attentionCard () {
  const count = h('span', { class: 'pill' })
  const list = h('ul', { class: 'lines live' })
  const empty = emptyNote('Nothing needs attention', 'Stalled and offline subscriptions and channels near their limits show up here.', true)
  const more = h('p', { class: 'mute' })
  const keyed = new Keyed(list, item => `${item.word} ${item.channel.name}`, item => {
    const parts = [h('span', { class: 'pill', 'data-kind': item.kind }, item.word), h('a', { class: 'name', href: link(item.channel.name) }, item.channel.name), h('span', { class: 'num' })]
    return h('li', {}, parts)
  }, (node, item) => setText(node.lastChild, item.text))
  return {
    element: card('Needs attention', h('div', { class: 'body' }, list, empty, more), count),
    update (channels) {
      const found = attention(channels)
      keyed.set(found.slice(0, ROWS))
      show(empty, found.length === 0)
      show(count, found.length > 0)
      setText(count, number(found.length))
      setText(more, found.length > ROWS ? `and ${number(found.length - ROWS)} more: sort the channels by lag or fill` : '')
    }
  }
}

function busiestCard () {
  const list = h('ul', { class: 'lines live' })
  const empty = emptyNote('All quiet', 'Channels that messages come in on show up here.', true)
  const early = emptyNote('Being measured', 'Rates are known after a second look at the channels.', true)
  const keyed = new Keyed(list, channel => channel.name, channel =>
    h('li', {}, h('a', { class: 'name', href: link(channel.name) }, channel.name), h('span', { class: 'num' })),
  (node, channel) => setText(node.lastChild, `${rate(channel.rate)} msg/s`))
  return {
    element: card('Busiest channels', h('div', { class: 'body' }, list, empty, early)),
    update (channels, total) {
      const busy = channels.filter(channel => channel.rate > 0).sort((a, b) => b.rate - a.rate).slice(0, ROWS)
      keyed.set(busy)
      const unknown = total > 0 && channels.every(channel => channel.rate === null)
      show(early, unknown)
      show(empty, busy.length === 0 && !unknown)
    }
  }
}

export function overview (params, app) {
  const top = head()
  const tiles = figures([['Messages in', 'key'], ['Messages out', 'key out'], ['Stored'], ['Channels'], ['Subscriptions'], ['Clients']])
  const { made, cards } = charts()
  const choice = segments('Time shown', [[300, '5 min'], [900, '15 min'], [3600, '1 h']], app.seconds, value => {
    app.seconds = value
    draw(app.state)
  })
  top.element.append(choice)
  const [needs, busy] = [attentionCard(), busiestCard()]
  const latency = h('div', { class: 'grid' }, cards.commit, cards.fsync)
  let version

  function draw (state) {
    Object.values(made).forEach(chart => chart.update(state.samples, app.seconds))
  }

  return {
    title: 'Overview',
    element: h('div', {}, top.element, tiles.element, h('div', { class: 'grid' }, cards.messages, cards.bytes), latency,
      h('div', { class: 'grid' }, needs.element, busy.element)),
    tasks: [app.state.channelList],
    update (state) {
      const { server, store } = state
      if (server === null || store === null) {
        return
      }
      top.update(server)
      const now = state.samples.at(-1) ?? {}
      tiles.update({
        'Messages in': [rate(now.in), '/s', `${short(server.in_msgs)} since the start`],
        'Messages out': [rate(now.out), '/s', `${short(server.out_msgs)} since the start`],
        Stored: [...bytesParts(server.total_bytes), `${plural(server.total_msgs, 'message')}, ${store.type.toLowerCase()} store`],
        Channels: [number(server.channels), '', store.limits.max_channels > 0 ? `of ${number(store.limits.max_channels)} at most` : 'no limit'],
        Subscriptions: [number(server.subscriptions)],
        Clients: [number(server.clients)]
      })
      show(latency, state.metrics.kinds.size > 0)
      show(cards.commit, state.metrics.kinds.has('commit'))
      show(cards.fsync, state.metrics.kinds.has('fsync'))
      draw(state)
      if (version !== state.version) { // only after a sweep: there may be many
        version = state.version
        const channels = [...state.channels.values()]
        needs.update(channels)
        busy.update(channels, server.channels)
      }
    },
    close () {
      Object.values(made).forEach(chart => chart.close())
    }
  }
}
