// view_channels.js - all channels: search, filter, sort.
import { h, segments, setAttribute, setText } from './dom.js'
import { bytes, number, plural, rate } from './format.js'
import { level } from './limits.js'
import { PAGE, Task } from './state.js'
import { Table } from './table.js'
import { link } from './view_overview.js'

const FILTERS = {
  all: ['All', () => true],
  busy: ['Busy', channel => channel.rate > 0],
  lagging: ['Lagging', channel => channel.lag > 0],
  stalled: ['Stalled', channel => channel.stalled > 0],
  offline: ['Offline', channel => channel.offline > 0],
  full: ['Filling', channel => channel.fill >= 0.8]
}

function drawName (cell, channel) {
  if (cell.firstChild === null) {
    cell.append(h('a', { tabindex: -1 }))
  }
  setText(cell.firstChild, channel.name)
  setAttribute(cell.firstChild, 'href', link(channel.name))
  setAttribute(cell, 'title', channel.name)
}

function drawNumber (cell, text, quiet, late) {
  setText(cell, text)
  cell.classList.toggle('zero', Boolean(quiet))
  cell.classList.toggle('late', Boolean(late))
}

export function meter (fraction) {
  const bar = h('i')
  const element = h('span', { class: 'meter', 'aria-hidden': 'true' }, bar)
  const set = value => {
    bar.style.width = `${Math.min(100, (value || 0) * 100)}%`
    setAttribute(element, 'data-level', level(value || 0))
  }
  set(fraction)
  return { element, set }
}

export function percent (fraction) {
  return fraction === null ? '–' : fraction > 0 && fraction < 0.01 ? '<1 %' : `${Math.floor(Math.min(1, fraction) * 100)} %`
}

function drawFill (cell, channel) {
  if (!cell.meter) {
    cell.meter = meter(0)
    cell.append(h('div', { class: 'fillcell' }, cell.meter.element, h('span', { class: 'mute' })))
  }
  cell.meter.set(channel.fill)
  setText(cell.firstChild.lastChild, percent(channel.fill))
}

function columns () {
  return [
    { id: 'name', title: 'Channel', value: c => c.name, draw: drawName },
    { id: 'msgs', title: 'Messages', label: 'msgs', num: true, width: '11%', value: c => c.msgs, draw: (cell, c) => drawNumber(cell, number(c.msgs), c.msgs === 0) },
    { id: 'bytes', title: 'Size', label: 'size', num: true, width: '10%', value: c => c.bytes, draw: (cell, c) => drawNumber(cell, bytes(c.bytes), c.bytes === 0) },
    { id: 'rate', title: 'In per s', label: 'in/s', num: true, width: '10%', value: c => c.rate, draw: (cell, c) => drawNumber(cell, rate(c.rate), !(c.rate > 0)) },
    { id: 'last', title: 'Last sequence', num: true, low: true, width: '12%', value: c => c.last_seq, draw: (cell, c) => drawNumber(cell, number(c.last_seq), c.last_seq === 0) },
    { id: 'subs', title: 'Subs', label: 'subs', num: true, width: '8%', value: c => c.subs_count, draw: (cell, c) => drawNumber(cell, number(c.subs_count), c.subs_count === 0) },
    { id: 'lag', title: 'Lag', label: 'lag', num: true, width: '10%', value: c => c.lag, draw: (cell, c) => drawNumber(cell, number(c.lag ?? NaN), !c.lag, c.lag > 0) },
    { id: 'fill', title: 'Fill', label: 'fill', num: true, width: '13%', value: c => c.fill, draw: drawFill }
  ]
}

export function channels (params, app) {
  const kept = app.channelsView ?? (app.channelsView = { search: '', filter: 'all', sort: { id: 'name', down: false } })
  const count = h('span', { class: 'count', role: 'status' })
  const search = h('input', { type: 'search', placeholder: 'Search channels', 'aria-label': 'Search channels', spellcheck: 'false', autocomplete: 'off', value: kept.search, oninput: () => { kept.search = search.value; fill() } })
  const filter = segments('Show', Object.entries(FILTERS).map(([value, [text]]) => [value, text]), kept.filter, value => { kept.filter = value; fill() })
  const table = new Table({ label: 'Channels', columns: columns(), key: c => c.name, open: c => { location.hash = link(c.name) }, sort: kept.sort })
  table.onsort = () => { kept.sort = table.sort } // at once: the view may be left
  const inSight = new Task(() => app.state.channels.size > PAGE
    ? app.state.fetchSome(table.inSight().map(c => c.name))
    : undefined, () => 2000)
  let shown

  function fill () {
    const { state } = app
    const words = kept.search.toLowerCase().split(/\s+/).filter(Boolean)
    const keep = FILTERS[kept.filter][1]
    const rows = [...state.channels.values()].filter(c => keep(c) && words.every(word => c.name.toLowerCase().includes(word)))
    table.setEmpty(...emptyWords(state))
    table.setRows(rows)
    const total = state.channelsComplete ? state.channels.size : Math.max(state.channels.size, state.server?.channels ?? 0)
    setText(count, rows.length === total ? plural(total, 'channel') : `${number(rows.length)} of ${plural(total, 'channel')}`)
  }

  function emptyWords (state) {
    if (!state.channelsComplete) {
      return ['Fetching channels', '']
    }
    return state.channels.size === 0
      ? ['No channel yet', 'A channel begins with its first message or subscription.']
      : ['No channel matches', 'Change the search or show all.']
  }

  return {
    title: 'Channels',
    element: h('div', {}, h('div', { class: 'head' }, h('div', {}, h('h1', {}, 'Channels'))),
      h('section', { class: 'card' }, h('div', { class: 'bar' }, h('div', { class: 'search' }, search, h('kbd', { 'aria-hidden': 'true' }, '/')), filter, table.sorter, count), table.element)),
    tasks: [app.state.channelList, inSight],
    search,
    table,
    update (state) {
      // A large list is sorted anew when it is complete again, not by each page.
      const now = state.channels.size > 1000 && state.channelsComplete ? state.version : {}
      if (now !== shown) {
        shown = now
        fill()
      } else {
        table.replaceRows(name => state.channels.get(name))
      }
    },
    close: () => table.close()
  }
}
