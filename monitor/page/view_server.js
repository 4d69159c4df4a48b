// view_server.js - facts of the server, the store and its limits.
import { card, facts, h, setText, show } from './dom.js'
import { bytes, dateTime, limitOf, limitTime, number, span } from './format.js'
import { Table } from './table.js'
import { stateWords } from './view_overview.js'
import { meter, percent } from './view_channels.js'

const LIMITS = [
  ['Messages in a channel', 'max_msgs', number],
  ['Bytes in a channel', 'max_bytes', bytes],
  ['Age of a message', 'max_age', limitTime],
  ['Subscriptions in a channel', 'max_subscriptions', number],
  ['Inactivity of a channel', 'max_inactivity', limitTime]
]

function gauge (name) {
  const [value, bar] = [h('span', { class: 'soft' }), meter(0)]
  return {
    element: h('div', { class: 'limit' }, h('div', {}, h('span', {}, name), value), bar.element),
    set (used, most, text = number) {
      setText(value, most > 0 ? `${text(used)} of ${text(most)} (${percent(used / most)})` : `${text(used)}, no limit`)
      bar.set(most > 0 ? used / most : 0)
      show(bar.element, most > 0)
    }
  }
}

function channelLimits () {
  const table = new Table({
    label: 'Limits by channel',
    short: true,
    key: row => row.name,
    columns: [
      { id: 'name', title: 'Channels', value: row => row.name, draw: (cell, row) => setText(cell, row.name) },
      ...LIMITS.map(([title, key, text], i) => ({
        id: key,
        title: ['Messages', 'Bytes', 'Age', 'Subscriptions', 'Inactivity'][i],
        label: ['messages', 'bytes', 'age', 'subs', 'inactive'][i],
        num: true,
        width: '15%',
        value: row => row[key],
        draw: (cell, row) => setText(cell, limitOf(row[key], text))
      }))
    ]
  })
  return table
}

const RAW = [['serverz', 'Server'], ['storez', 'Store'], ['clientsz?subs=1', 'Clients'], ['channelsz?subs=1', 'Channels']]

export function server (params, app) {
  const info = facts(['State', 'Cluster ID', 'Server ID', 'Version', 'streamd', 'Built with', 'Started', 'Up'])
  const store = facts(['Type', 'Messages', 'Size', ...LIMITS.map(([name]) => name)])
  const [channelGauge, files] = [gauge('Channels'), gauge('Open files')]
  const table = channelLimits()
  const byChannel = card('Limits by channel', table.element)
  const raw = card('As JSON', h('div', { class: 'body row' }, RAW.map(([href, text]) => h('a', { href, target: '_blank', rel: 'noopener' }, text))))
  return {
    title: 'Server',
    element: h('div', {}, h('div', { class: 'head' }, h('div', {}, h('h1', {}, 'Server'))),
      h('div', { class: 'grid' }, card('Server', h('div', { class: 'body' }, info.element)), card('Store and limits', h('div', { class: 'body' }, store.element))),
      h('div', { class: 'grid' }, card('Room left', h('div', { class: 'body live' }, channelGauge.element, files.element)), raw),
      byChannel),
    tasks: [],
    update (state) {
      if (state.server === null || state.store === null) {
        return
      }
      const { server, store: kept } = state
      info.update({
        State: stateWords(server),
        'Cluster ID': server.cluster_id,
        'Server ID': server.server_id,
        Version: `${server.version} (of the server it stands in for)`,
        streamd: server.streamd_version ?? '–',
        'Built with': server.go,
        Started: dateTime(new Date(server.start_time)),
        Up: span((Date.parse(server.now) - Date.parse(server.start_time)) / 1000)
      })
      store.update({
        Type: kept.type,
        Messages: number(kept.total_msgs),
        Size: bytes(kept.total_bytes),
        ...Object.fromEntries(LIMITS.map(([name, key, text]) => [name, limitOf(kept.limits[key], text)]))
      })
      channelGauge.set(server.channels, kept.limits.max_channels)
      files.set(server.open_fds ?? 0, server.max_fds ?? 0)
      show(files.element, Boolean(server.open_fds))
      const named = Object.entries(kept.limits.channels || {}).map(([name, limits]) => ({ name, ...limits }))
      show(byChannel, named.length > 0)
      table.setRows(named)
    },
    close: () => table.close()
  }
}
