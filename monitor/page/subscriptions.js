// subscriptions.js - subscriptions as a table, and what one has pending.
import { h, Keyed, setAttribute, setText, show } from './dom.js'
import { number, plural, seconds, span } from './format.js'
import * as admin from './admin.js'
import { actions, subscriptionName } from './actions.js'
import { inform } from './dialogs.js'
import { Table } from './table.js'
import { link } from './view_overview.js'

const RANK = { stalled: 0, offline: 1, active: 2 }
const KIND = { stalled: 'warn', offline: 'mute', active: 'good' }

export function stateOf (sub) {
  return sub.is_offline ? 'offline' : sub.is_stalled ? 'stalled' : 'active'
}

function kindOf (sub) {
  return sub.queue_name ? sub.is_durable ? 'durable queue group' : 'queue group' : sub.is_durable ? 'durable' : 'plain'
}

function drawState (cell, sub) {
  if (cell.firstChild === null) {
    cell.append(h('span', { class: 'pill' }, h('i', { 'aria-hidden': 'true' }), h('span')))
  }
  setAttribute(cell.firstChild, 'data-kind', KIND[stateOf(sub)])
  setText(cell.firstChild.lastChild, stateOf(sub))
}

function drawWho (cell, sub) {
  if (cell.firstChild === null) {
    cell.append(h('span'), h('span', { class: 'under' }))
  }
  setText(cell.firstChild, subscriptionName(sub))
  setText(cell.lastChild, kindOf(sub))
  setAttribute(cell, 'title', `${subscriptionName(sub)}\ninbox ${sub.inbox}`)
}

function drawClient (cell, sub) {
  if (cell.firstChild === null) {
    cell.append(h('a', { tabindex: -1 }))
  }
  setText(cell.firstChild, sub.client_id || '–')
  setAttribute(cell.firstChild, 'href', sub.client_id ? `#/clients/${encodeURIComponent(sub.client_id)}` : null)
}

// The members of a group share one position: that of the furthest.
function lastSent (sub, channel) {
  return !sub.queue_name
    ? sub.last_sent
    : Math.max(sub.last_sent, ...channel.subscriptions.filter(other => other.queue_name === sub.queue_name).map(other => other.last_sent))
}

function drawLag (cell, sub, channel) {
  const lag = channel ? Math.max(0, channel.last_seq - lastSent(sub, channel)) : null
  setText(cell, lag === null ? '–' : number(lag))
  cell.classList.toggle('zero', !lag)
  cell.classList.toggle('late', lag > 0)
}

// The buttons of a row; they read the row's present subscription when pressed.
function drawActions (cell, sub, view) {
  const group = Boolean(sub.queue_name)
  if (cell.firstChild === null) {
    const button = (text, name, run, kind = '') => h('button', { type: 'button', class: `small quiet ${kind}`, 'data-action': name, onclick: () => run(target(cell, view)) }, text)
    cell.append(h('div', { class: 'acts' },
      button('Pending', 'pending', showPending),
      button('Move', 'move', actions.move),
      button('Delete', 'deleteSubscription', actions.deleteSubscription, 'danger'),
      group ? button('Delete group', 'deleteGroup', actions.deleteGroup, 'danger') : null))
  }
}

function target (cell, view) {
  return { channel: view.channel(), sub: cell.parentNode.shown, done: view.changed }
}

// options: {withChannel: rows name theirs; channel(): the one; admin: rows have
// ids, and buttons; changed(): after an action; empty}
export function subscriptionTable (app, options) {
  const columns = [
    { id: 'who', title: 'Subscription', value: sub => subscriptionName(sub), draw: drawWho },
    { id: 'state', title: 'State', width: '110px', value: sub => RANK[stateOf(sub)], draw: drawState },
    options.withChannel
      ? { id: 'channel', title: 'Channel', value: sub => sub.channel, draw: (cell, sub) => setText(cell, sub.channel) }
      : { id: 'client', title: 'Client', label: 'client', value: sub => sub.client_id, draw: drawClient },
    { id: 'sent', title: 'Last sent', label: 'sent', num: true, width: '100px', value: sub => sub.last_sent, draw: (cell, sub) => setText(cell, number(sub.last_sent)) },
    ...(options.withChannel ? [] : [{ id: 'lag', title: 'Lag', label: 'lag', num: true, width: '84px', value: sub => -sub.last_sent, draw: (cell, sub) => drawLag(cell, sub, options.channel()) }]),
    { id: 'pending', title: 'Pending', label: 'pending', num: true, width: '120px', value: sub => sub.pending_count, draw: (cell, sub) => setText(cell, `${number(sub.pending_count)} of ${number(sub.max_inflight)}`) },
    { id: 'wait', title: 'Ack wait', num: true, low: true, width: '80px', value: sub => sub.ack_wait, draw: (cell, sub) => setText(cell, span(sub.ack_wait)) },
    ...(options.admin ? [{ id: 'acts', title: '', width: '322px', acts: true, draw: (cell, sub) => drawActions(cell, sub, options) }] : [])
  ]
  return new Table({
    label: 'Subscriptions',
    short: true,
    columns,
    sort: { id: 'state', down: false },
    key: sub => `${sub.id ?? ''} ${sub.inbox} ${sub.client_id} ${sub.durable_name ?? ''} ${sub.channel ?? ''}`,
    open: options.withChannel ? sub => { location.hash = link(sub.channel) } : undefined,
    empty: options.empty
  })
}

// ---- pending messages ----

function showPending ({ channel, sub, done }) {
  const count = h('p', { role: 'status' })
  const list = h('ul', { class: 'lines' })
  const error = h('p', { class: 'error', role: 'alert', hidden: true })
  const more = h('button', { type: 'button', class: 'small', hidden: true, onclick: () => load(more.next) }, 'More')
  let all = []
  const again = () => { all = []; load(0); done() }
  const act = (action, entry) => action({ channel, sub, sequence: entry.sequence, done: again })
  const keyed = new Keyed(list, entry => entry.sequence, entry => h('li', {},
    h('span', { class: 'name' }), h('span', { class: 'num mute' }),
    h('button', { type: 'button', class: 'small quiet', 'data-action': 'release', onclick: () => act(actions.release, entry) }, 'Release'),
    h('button', { type: 'button', class: 'small quiet danger', 'data-action': 'drop', onclick: () => act(actions.drop, entry) }, 'Drop')),
  (node, entry) => {
    setText(node.children[0], number(entry.sequence))
    const due = entry.due_in === null ? '' : entry.due_in === 0 ? ', due' : `, again in ${seconds(entry.due_in)}`
    setText(node.children[1], `${span(entry.age)} old, sent ${entry.delivery_count === 0 ? 'before the restart' : plural(entry.delivery_count, 'time')}${due}`)
  })

  async function load (start) {
    try {
      const answer = await admin.pending(channel.name, sub.id, start, 100)
      all = start === 0 ? answer.pending : [...all, ...answer.pending]
      keyed.set(all)
      setText(count, answer.pending_count === 0 ? 'Nothing is pending.' : `${plural(answer.pending_count, 'message')} sent and not acked:`)
      more.next = answer.next_seq
      show(more, answer.next_seq > 0)
      show(error, false)
    } catch (failure) {
      setText(error, failure.message)
      show(error, true)
    }
  }
  inform(`Pending for ${subscriptionName(sub)}`, count, list, more, error)
  load(0)
}
