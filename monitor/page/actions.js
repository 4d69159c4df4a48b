// actions.js - what an administrator may do, each behind a dialog that says
// what will happen and shows what did.
import { h, setAttribute, show } from './dom.js'
import { number, plural } from './format.js'
import * as admin from './admin.js'
import { ask, inform } from './dialogs.js'

const strong = text => h('strong', {}, text)
const p = (...parts) => h('p', {}, parts.flat())

export const HOW_TO_ENABLE = () => [
  p('Administration is off on this server. It is turned on by a file with a token that only its administrators know:'),
  h('pre', { class: 'answer' }, 'umask 077; openssl rand -hex 32 > admin.token\nstreamd -m 8222 -admin_token_file admin.token'),
  p('Then enter the token here.')
]

// ---- the token ----

export async function enterToken (app) {
  if (admin.isOn()) {
    ask({
      title: 'Administration is on',
      text: ['This tab holds a token and sends it with what you ask for. Closing the tab forgets it.'],
      action: 'Forget the token',
      danger: true,
      quiet: true,
      run: async () => admin.setToken(null)
    })
    return
  }
  let there
  try {
    there = await admin.available()
  } catch (error) {
    inform('Administer', h('p', { class: 'error', role: 'alert' }, error.message))
    return
  }
  if (!there) {
    inform('Administration is off', ...HOW_TO_ENABLE())
    return
  }
  ask({
    title: 'Administer',
    text: ['With the admin token of this server you can read and publish messages, purge and delete, move subscriptions and close clients.'],
    fields: [{ name: 'token', label: 'Token', kind: 'password', hint: 'Kept in this tab only, and forgotten with it.' }],
    action: 'Use the token',
    quiet: true,
    async run ({ token }) {
      const text = token.trim()
      if (!/^[\x21-\x7e]+$/.test(text)) {
        throw new Error(text === '' ? 'Enter the token.' : 'A token has no spaces and no other signs than those of ASCII.')
      }
      await admin.tryToken(text, app.state.channels.keys().next().value)
    }
  })
}

// ---- channels ----

function publish ({ channel, done }) {
  ask({
    title: channel === undefined ? 'Publish a message' : `Publish to ${channel}`,
    fields: [
      ...(channel === undefined ? [{ name: 'channel', label: 'Channel', kind: 'text', hint: 'Created if it is not there yet.' }] : []),
      { name: 'body', label: 'Message', kind: 'area' },
      { name: 'form', label: 'Form', kind: 'choice', value: 'text', choices: [['text', 'Text, stored as UTF-8'], ['data', 'Base64, stored as the bytes it stands for']] }
    ],
    action: 'Publish',
    async run ({ channel: named, body, form }) {
      const name = channel ?? named.trim()
      if (name === '') {
        throw new Error('Enter the name of a channel.')
      }
      return admin.publish(name, { [form]: form === 'data' ? body.replace(/\s/g, '') : body })
    },
    done
  })
}

function purge ({ channel, done }) {
  ask({
    title: `Purge ${channel.name}`,
    text: [
      p('All ', strong(plural(channel.msgs, 'stored message')), ' of this channel will be removed, for good. Sequences go on after ', strong(number(channel.last_seq)), '.'),
      p('Its ', plural(channel.subs_count, 'subscription'), ' stay; what they have pending is not redelivered any more.')
    ],
    word: channel.name,
    action: 'Purge',
    danger: true,
    run: () => admin.purge(channel.name),
    done
  })
}

function deleteChannel ({ channel, done }) {
  const busy = channel.subs_count > 0
  ask({
    title: `Delete ${channel.name}`,
    text: [p('The channel and its ', strong(plural(channel.msgs, 'message')), ' will be gone, for good. A new channel of this name begins at sequence 1.'),
      ...(busy ? [p('It has ', strong(plural(channel.subs_count, 'subscription')), '. The server refuses to delete it as long as there is one, unless you end them.')] : [])],
    fields: busy ? [{ name: 'force', label: 'End its subscriptions, too', kind: 'check', hint: 'Their clients are not told: nothing comes any more.' }] : [],
    word: channel.name,
    action: 'Delete the channel',
    danger: true,
    run: ({ force }) => admin.deleteChannel(channel.name, force),
    done
  })
}

// ---- subscriptions ----

export function subscriptionName (sub) {
  return sub.queue_name || sub.durable_name || sub.client_id || `subscription ${sub.id}`
}

function positionOf ({ where, sequence, time }, channel) {
  if (where === 'first' || where === 'new') {
    return { sequence: where === 'first' ? Math.max(1, channel.first_seq) : channel.last_seq + 1 }
  }
  if (where === 'sequence') {
    if (!/^[1-9]\d*$/.test(sequence.trim())) {
      throw new Error('Enter a sequence: a whole number from 1.')
    }
    return { sequence: Number(sequence) }
  }
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) {
    throw new Error('Enter a date and a time.')
  }
  return { time: date.toISOString() }
}

function move ({ channel, sub, done }) {
  const group = sub.queue_name
  ask({
    title: `Move ${subscriptionName(sub)}`,
    text: [
      p('Delivery goes on at another place of ', strong(channel.name), '. It stands at ', strong(number(sub.last_sent)), ' of ', number(channel.last_seq), '.'),
      p(group ? 'This is a queue group: all its members move. ' : '', sub.pending_count > 0 ? [strong(plural(sub.pending_count, 'pending message')), ' will be forgotten. '] : '', 'What comes after the new place is delivered, again if need be.')
    ],
    fields: [
      { name: 'where', label: 'Where to', kind: 'choice', value: 'sequence', choices: [['first', 'To the first message stored'], ['new', 'To the end: new messages only'], ['sequence', 'To the sequence'], ['time', 'To the time']] },
      { name: 'sequence', label: 'Sequence', kind: 'number', value: String(sub.last_sent + 1), hint: 'The next message to be delivered.', when: ({ where }) => where === 'sequence' },
      { name: 'time', label: 'Time', kind: 'datetime', hint: 'The first message stored at or after it is the next to be delivered.', when: ({ where }) => where === 'time' }
    ],
    action: 'Move',
    danger: true,
    run: async values => {
      const position = positionOf(values, channel)
      return group ? admin.moveGroup(channel.name, group, position) : admin.moveSubscription(channel.name, sub.id, position)
    },
    done
  })
}

function deleteSubscription ({ channel, sub, done }) {
  const name = subscriptionName(sub)
  ask({
    title: `Delete ${name}`,
    text: [
      p('This ', sub.is_offline ? 'offline ' : '', sub.queue_name ? 'member of the queue group ' : sub.is_durable ? 'durable ' : 'subscription of ', strong(name), ' on ', strong(channel.name), ' ends as if its client had unsubscribed, and its position is gone.'),
      p(strong(plural(sub.pending_count, 'pending message')), sub.queue_name ? ' go to the other members of its group, if there are any.' : ' will be forgotten.')
    ],
    fields: sub.is_offline ? [] : [{ name: 'force', label: 'It is online: end it all the same', kind: 'check', hint: 'Its client is not told: nothing comes any more.' }],
    word: channel.name,
    action: 'Delete',
    danger: true,
    run: ({ force }) => admin.deleteSubscription(channel.name, sub.id, force),
    done
  })
}

function deleteGroup ({ channel, sub, done }) {
  ask({
    title: `Delete the group ${sub.queue_name}`,
    text: [p('The queue group ', strong(sub.queue_name), ' on ', strong(channel.name), ' with all its members, its position and what it has pending will be gone.')],
    fields: sub.is_offline ? [] : [{ name: 'force', label: 'It has members online: end them all the same', kind: 'check', hint: 'Their clients are not told: nothing comes any more.' }],
    word: channel.name,
    action: 'Delete the group',
    danger: true,
    run: ({ force }) => admin.deleteGroup(channel.name, sub.queue_name, force),
    done
  })
}

function release ({ channel, sub, sequence, done }) {
  ask({
    title: `Release message ${number(sequence)}`,
    text: [p('It is sent to ', strong(subscriptionName(sub)), ' again at once, without waiting for its ack wait to pass.')],
    action: 'Release',
    run: () => admin.release(channel.name, sub.id, sequence),
    done
  })
}

function drop ({ channel, sub, sequence, done }) {
  ask({
    title: `Drop message ${number(sequence)}`,
    text: [p(strong(subscriptionName(sub)), ' is treated as if it had acked the message: it is not sent to it again. It stays in ', strong(channel.name), '.')],
    action: 'Drop',
    danger: true,
    run: () => admin.drop(channel.name, sub.id, sequence),
    done
  })
}

// ---- clients ----

function closeClient ({ id, done }) {
  ask({
    title: `Close ${id}`,
    text: [p('The client ', strong(id), ' is treated as if it had closed its connection: its durables stay, offline; its other subscriptions end. It is not told, and learns it from its pings or its next request.')],
    word: id,
    action: 'Close the client',
    danger: true,
    run: () => admin.closeClient(id),
    done
  })
}

export const actions = { publish, purge, deleteChannel, move, deleteSubscription, deleteGroup, release, drop, closeClient }

// Buttons for [[action, text, target(), class]], there while a token is.
export function adminButtons (app, list) {
  const element = h('div', { class: 'row' }, list.map(([name, text, target, kind]) =>
    h('button', { type: 'button', class: kind || '', 'data-action': name, onclick: () => actions[name](target()) }, text)))
  const update = () => {
    show(element, admin.isOn())
    setAttribute(element, 'data-admin', String(admin.isOn()))
  }
  update()
  app.whileView(admin.onChange(update))
  return element
}
