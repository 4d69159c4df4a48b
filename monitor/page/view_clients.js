// view_clients.js - the clients, and one of them.
import { card, facts, h, setAttribute, setText, show } from './dom.js'
import { number, plural } from './format.js'
import * as api from './api.js'
import { Table } from './table.js'
import { Task } from './state.js'
import { subscriptionTable } from './subscriptions.js'
import { adminButtons } from './actions.js'

const linkClient = id => `#/clients/${encodeURIComponent(id)}`

export function clients (params, app) {
  const kept = app.clientsView ?? (app.clientsView = { search: '' })
  const count = h('span', { class: 'count', role: 'status' })
  const search = h('input', { type: 'search', placeholder: 'Search clients', 'aria-label': 'Search clients', spellcheck: 'false', autocomplete: 'off', value: kept.search, oninput: () => { kept.search = search.value; fill() } })
  const table = new Table({
    label: 'Clients',
    key: client => client.id,
    open: client => { location.hash = linkClient(client.id) },
    columns: [
      {
        id: 'id',
        title: 'Client',
        value: c => c.id,
        draw (cell, c) {
          if (cell.firstChild === null) {
            cell.append(h('a', { tabindex: -1 }))
          }
          setText(cell.firstChild, c.id)
          setAttribute(cell.firstChild, 'href', linkClient(c.id))
        }
      },
      { id: 'subs', title: 'Subscriptions', label: 'subs', num: true, width: '16%', value: c => c.subs_count, draw: (cell, c) => setText(cell, number(c.subs_count)) },
      { id: 'inbox', title: 'Heartbeat inbox', width: '46%', low: true, value: c => c.hb_inbox, draw: (cell, c) => { setText(cell, c.hb_inbox); cell.classList.add('mono') } }
    ]
  })

  function fill () {
    const { state } = app
    const wanted = kept.search.toLowerCase()
    const rows = [...state.clients.values()].filter(c => c.id.toLowerCase().includes(wanted))
    table.setEmpty(...(!state.clientsComplete
      ? ['Fetching clients', '']
      : state.clients.size === 0 ? ['No client is connected', `Clients connect with the cluster ID ${state.server?.cluster_id ?? ''}.`] : ['No client matches', 'Change the search.']))
    table.setRows(rows)
    setText(count, rows.length === state.clients.size ? plural(rows.length, 'client') : `${number(rows.length)} of ${plural(state.clients.size, 'client')}`)
  }

  return {
    title: 'Clients',
    element: h('div', {}, h('div', { class: 'head' }, h('div', {}, h('h1', {}, 'Clients'))),
      h('section', { class: 'card' }, h('div', { class: 'bar' }, h('div', { class: 'search' }, search, h('kbd', { 'aria-hidden': 'true' }, '/')), table.sorter, count), table.element)),
    tasks: [app.state.clientList],
    search,
    table,
    update: fill,
    close: () => table.close()
  }
}

export function client ([id], app) {
  const info = facts(['Subscriptions', 'Heartbeat inbox'])
  const gone = h('p', { class: 'notice', hidden: true }, h('strong', {}, 'This client is not connected. '), 'It has closed, or the server gave it up.')
  const table = subscriptionTable(app, { withChannel: true, empty: ['No subscription', 'This client only publishes, or has not subscribed yet.'] })
  const list = card('Subscriptions', table.element)
  const tools = h('div', {}, adminButtons(app, [['closeClient', 'Close client', () => ({ id, done: () => task.now() }), 'danger']]))
  const task = new Task(async () => {
    try {
      const entry = await api.client(id)
      const subs = Object.entries(entry.subscriptions || {}).flatMap(([channel, all]) => all.map(sub => ({ ...sub, channel })))
      info.update({ Subscriptions: number(entry.subs_count), 'Heartbeat inbox': entry.hb_inbox })
      table.setRows(subs)
      seen(true)
    } catch (error) {
      if (error.status === 404) {
        seen(false)
      }
    }
  }, () => 2000)

  function seen (there) {
    show(gone, !there)
    show(list, there)
    show(info.element.parentNode, there)
    show(tools, there)
  }

  return {
    title: id,
    element: h('div', {}, h('div', { class: 'head' },
      h('div', {}, h('div', { class: 'crumb' }, h('a', { href: '#/clients' }, 'Clients')), h('h1', {}, id)), tools),
    gone, h('div', { class: 'stack' }, h('div', { class: 'card' }, h('div', { class: 'body' }, info.element)), list)),
    tasks: [task],
    table,
    up: '#/clients',
    update () {},
    close: () => table.close()
  }
}
