// view_channel.js - one channel: figures, limits, subscriptions, messages.
import { card, figures, h, setAttribute, setText, show } from './dom.js'
import { bytes, bytesParts, limitOf, limitTime, number, rate, short } from './format.js'
import { LineChart } from './charts.js'
import * as admin from './admin.js'
import { adminButtons, enterToken } from './actions.js'
import { toast } from './dialogs.js'
import { MessageBrowser } from './messages.js'
import { subscriptionTable } from './subscriptions.js'
import { Task } from './state.js'
import { meter, percent } from './view_channels.js'

const KEEP = 1800 // samples: an hour

function limitsBody () {
  const rows = [['Messages', 'msgs', 'max_msgs', number], ['Size', 'bytes', 'max_bytes', bytes], ['Subscriptions', 'subs_count', 'max_subscriptions', number]]
    .map(([title, used, most, text]) => {
      const [value, bar] = [h('span', { class: 'soft' }), meter(0)]
      return { element: h('div', { class: 'limit' }, h('div', {}, h('span', {}, title), value), bar.element), value, bar, used, most, text }
    })
  const rest = h('p', { class: 'mute' })
  return {
    element: h('div', { class: 'body live' }, rows.map(row => row.element), h('br'), rest),
    update (channel, limits) {
      for (const { value, bar, used, most, text } of rows) {
        const limit = limits[most]
        setText(value, limit > 0 ? `${text(channel[used])} of ${text(limit)} (${percent(channel[used] / limit)})` : `${text(channel[used])}, no limit`)
        bar.set(limit > 0 ? channel[used] / limit : 0)
      }
      setText(rest, `Age of a message: ${limitOf(limits.max_age, limitTime)}. Without use, the channel is deleted after: ${limits.max_inactivity > 0 ? limitTime(limits.max_inactivity) : 'never'}.`)
    }
  }
}

// The message browser while there is a token; what to do otherwise.
function messagesCard (app, name) {
  const locked = h('div', { class: 'empty' }, h('strong', {}, 'Messages are for administrators'),
    'Enter the admin token to browse and publish messages. ',
    h('p', {}, h('br'), h('button', { type: 'button', onclick: () => enterToken(app) }, 'Enter the token')))
  const body = h('div')
  let browser = null
  function update () {
    if (!admin.isOn()) {
      browser?.close()
      browser = null
      body.replaceChildren(locked)
    } else if (browser === null) {
      browser = new MessageBrowser(app, name)
      body.replaceChildren(browser.element)
      browser.latest()
    }
  }
  update()
  app.whileView(admin.onChange(update))
  app.whileView(() => browser?.close())
  return { element: card('Messages', body), again: () => browser?.latest() }
}

function subscriptionsCard (app, name, channel, changed) {
  const body = h('div')
  const common = { channel, changed, empty: ['No subscription', 'Nobody reads this channel at present, and no durable waits for it.'] }
  let table = null
  function build () {
    table?.close()
    table = subscriptionTable(app, { ...common, admin: admin.isOn() })
    body.replaceChildren(table.element)
  }
  build()
  app.whileView(admin.onChange(() => { build(); changed() }))
  app.whileView(() => table.close())
  return {
    element: card('Subscriptions', body),
    // With a token, from the interface that knows their ids.
    async fetch () {
      if (!admin.isOn()) {
        table.setRows(channel()?.subscriptions ?? [])
        return
      }
      const rows = []
      for (let offset = 0, total = 1; offset < total; offset += 500) {
        const answer = await admin.subscriptions(name, offset, 500)
        rows.push(...answer.subscriptions)
        total = answer.total
      }
      table.setRows(rows)
    },
    focus: () => table.focusRow(0)
  }
}

export function channel ([name], app) {
  const { state } = app
  const now = () => state.channels.get(name)
  const tiles = figures([['Messages in', 'key'], ['Stored'], ['Size'], ['Sequences'], ['Lag']])
  const limits = limitsBody()
  const charts = [
    new LineChart({ label: 'Messages in per second', series: [{ name: 'In', value: s => s.rate }], text: rate }),
    new LineChart({ label: 'Lag', series: [{ name: 'Furthest behind', value: s => s.lag }], text: value => short(Math.round(value)), least: 2, none: 'No subscription' })
  ]
  const samples = []
  const gone = h('p', { class: 'notice', hidden: true }, h('strong', {}, 'This channel does not exist. '), 'It was deleted, or nobody has used it yet.')
  const again = () => task.now()
  const subs = subscriptionsCard(app, name, now, again)
  const messages = messagesCard(app, name)
  const tools = adminButtons(app, [
    ['publish', 'Publish', () => ({ channel: name, done: () => { again(); messages.again() } }), 'primary'],
    ['purge', 'Purge', () => ({ channel: now(), done: () => { again(); messages.again() } }), 'danger'],
    ['deleteChannel', 'Delete', () => ({ channel: now(), done: again }), 'danger']
  ])
  const content = h('div', { class: 'stack' },
    tiles.element, h('div', { class: 'grid' }, ...charts.map(chart => card(chart.label, chart.element))),
    subs.element, messages.element, card('Limits', limits.element))

  async function fetch () {
    let found
    try {
      found = await state.fetchChannel(name)
      if (found !== null) {
        await subs.fetch()
      }
    } catch (error) {
      if (error.status === 401) {
        admin.setToken(null)
        toast(error.message)
      }
      return // else shown by the totals, which fail as well
    }
    show(gone, found === null)
    show(content, found !== null)
    setAttribute(tools, 'data-gone', String(found === null))
    ;[...tools.children].slice(1).forEach(button => { button.disabled = found === null })
    if (found !== null) {
      samples.push({ time: found.now, rate: found.rate, lag: found.lag })
      samples.splice(0, samples.length - KEEP)
    }
    draw()
  }

  function draw () {
    const found = now()
    if (found === undefined || state.limits === null) {
      return
    }
    const empty = found.msgs === 0
    tiles.update({
      'Messages in': [rate(found.rate), '/s'],
      Stored: [short(found.msgs), '', found.msgs >= 1e6 ? number(found.msgs) : ''],
      Size: bytesParts(found.bytes),
      Sequences: [short(found.last_seq), '', empty ? 'nothing stored' : `stored from ${number(found.first_seq)}`],
      Lag: [found.lag === null ? '–' : short(found.lag), '', found.lag === null ? 'no subscription' : found.lag === 0 ? 'all is sent' : 'furthest behind']
    })
    limits.update(found, state.limits.of(name))
    charts.forEach(chart => chart.update(samples, app.seconds))
  }
  const task = new Task(fetch, () => 2000)

  return {
    title: name,
    element: h('div', {}, h('div', { class: 'head' },
      h('div', {}, h('div', { class: 'crumb' }, h('a', { href: '#/channels' }, 'Channels')), h('h1', {}, name)), tools),
    gone, content),
    tasks: [task],
    table: { focusRow: () => subs.focus() },
    up: '#/channels',
    update () {},
    close () {
      charts.forEach(chart => chart.close())
    }
  }
}
