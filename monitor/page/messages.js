// messages.js - the stored messages of a channel: a page of them, and one as
// text, JSON or hex.
import { h, Keyed, segments, setAttribute, setText, show, emptyNote } from './dom.js'
import { bytes, dateTime, fromBase64, hex, isReadable, moment, number, utf8 } from './format.js'
import * as admin from './admin.js'
import { toast } from './dialogs.js'
import { parse, tree } from './json.js'
import { Task } from './state.js'

const LIMIT = 50
const SHOWN_MAX = 128 * 1024 // bytes of one message put into the page
const PEEK = 120

// The beginning; a cut may have gone through a character.
function peek (data) {
  const text = [0, 1, 2, 3].map(less => utf8(data.subarray(0, Math.min(PEEK, data.length) - less))).find(isReadable)
  return text === undefined ? hexPeek(data) : text.replace(/\s+/g, ' ')
}

function hexPeek (data) {
  return Array.from(data.subarray(0, 32), b => b.toString(16).padStart(2, '0')).join(' ')
}

async function copy (text) {
  try {
    await navigator.clipboard.writeText(text)
  } catch (error) { // no secure context: the old way
    const area = h('textarea', { class: 'sr', value: text })
    document.body.append(area)
    area.select()
    const done = document.execCommand('copy')
    area.remove()
    if (!done) {
      toast('The browser does not allow copying here')
      return
    }
  }
  toast('Copied')
}

function download (name, data) {
  const url = URL.createObjectURL(new Blob([data], { type: 'application/octet-stream' }))
  h('a', { href: url, download: name }).click()
  setTimeout(() => URL.revokeObjectURL(url), 10000)
}

// One message in full.
class Reader {
  constructor (channel) {
    Object.assign(this, { channel, mode: null, message: null })
    this.title = h('h3')
    this.note = h('span', { class: 'mute' })
    this.body = h('div')
    this.modes = segments('Shown as', [['text', 'Text'], ['json', 'JSON'], ['hex', 'Hex']], null, mode => { this.mode = mode; this.draw() })
    this.none = emptyNote('No message chosen', 'Choose one to read it.')
    this.content = h('div', { hidden: true, class: 'one' },
      h('div', { class: 'bar' }, h('div', { class: 'grow' }, this.title, this.note), this.modes,
        h('button', { type: 'button', class: 'small', onclick: () => copy(this.text()) }, 'Copy'),
        h('button', { type: 'button', class: 'small', onclick: () => download(`${this.channel}-${this.message.sequence}`, this.data) }, 'Download')),
      this.body)
    this.element = h('div', { class: 'one' }, this.none, this.content)
  }

  async open (message) {
    this.message = message
    show(this.none, message === null)
    show(this.content, message !== null)
    if (message === null) {
      return
    }
    this.data = fromBase64(message.data)
    this.draw()
    if (message.truncated) {
      await this.fetchWhole(message)
    }
  }

  async fetchWhole (message) {
    try {
      const whole = (await admin.message(this.channel, message.sequence)).message
      if (this.message === message) {
        Object.assign(message, whole, { truncated: false })
        this.data = fromBase64(whole.data)
        this.draw()
      }
    } catch (error) {
      setText(this.note, `Only its beginning: ${error.message}`)
    }
  }

  // The mode that was chosen, or the one that says most.
  shownMode (text, value) {
    return this.mode ?? (!isReadable(text) ? 'hex' : value !== undefined && typeof value === 'object' && value !== null ? 'json' : 'text')
  }

  draw () {
    const { message, data } = this
    const part = data.subarray(0, SHOWN_MAX)
    const text = utf8(data)
    const value = text === null ? undefined : parse(text)
    const mode = this.shownMode(text, value)
    ;['text', 'json', 'hex'].forEach((each, i) => setAttribute(this.modes.children[i], 'aria-pressed', String(each === mode)))
    setText(this.title, `Message ${number(message.sequence)}`)
    setText(this.note, `${dateTime(new Date(message.timestamp))}, ${bytes(message.size)}${message.reply ? `, reply to ${message.reply}` : ''}${data.length > part.length && mode !== 'json' ? `, the first ${bytes(SHOWN_MAX)} shown` : ''}`)
    this.body.replaceChildren(this.view(mode, part, text, value))
  }

  view (mode, part, text, value) {
    const pre = (content, kind = '') => h('pre', { class: `payload ${kind}`, tabindex: 0, 'aria-label': 'Payload' }, content)
    if (mode === 'hex') {
      return pre(part.length === 0 ? 'Empty' : hex(part), 'hex')
    }
    if (mode === 'json') {
      return value === undefined
        ? h('div', { class: 'payload' }, h('p', { class: 'mute' }, 'This message is no JSON.'))
        : h('div', { class: 'payload', tabindex: 0, 'aria-label': 'Payload' }, tree(value))
    }
    return pre(part.length === 0 ? 'Empty' : new TextDecoder().decode(part))
  }

  text () {
    const text = utf8(this.data)
    return this.mode === 'hex' || !isReadable(text) ? hex(this.data) : text
  }
}

export class MessageBrowser {
  constructor (app, channel) {
    Object.assign(this, { app, channel, messages: [], first: 0, last: 0, chosen: null })
    this.reader = new Reader(channel)
    this.list = h('div', { class: 'list', role: 'listbox', 'aria-label': 'Messages', onkeydown: event => this.onkey(event) })
    this.none = emptyNote('No message stored', 'It has expired, was purged, or was never published.')
    this.error = h('p', { class: 'notice bad', role: 'alert', hidden: true })
    this.range = h('span', { class: 'count', role: 'status' })
    this.goto = h('input', { 'aria-label': 'Sequence or time to go to', placeholder: 'Sequence or time', title: 'A sequence, or a time such as 2026-01-31 16:30', spellcheck: 'false', autocomplete: 'off' })
    this.follow = h('input', { type: 'checkbox', onchange: () => this.follow.checked ? this.task.start() : this.task.stop() })
    this.keyed = new Keyed(this.list, message => message.sequence, message => this.makeItem(message), (node, message) => this.drawItem(node, message))
    const button = (text, label, run) => h('button', { type: 'button', class: 'small', 'aria-label': label, onclick: run }, text)
    this.element = h('div', {},
      h('form', { class: 'bar', onsubmit: event => { event.preventDefault(); this.jump() } },
        button('First', 'First messages', () => this.load({})), button('‹', 'Earlier messages', () => this.earlier()),
        button('›', 'Later messages', () => this.later()), button('Latest', 'Latest messages', () => this.latest()),
        h('div', { class: 'search' }, this.goto), h('label', { class: 'row' }, this.follow, 'Follow'), this.range),
      this.error, this.grid = h('div', { class: 'messages' }, this.list, this.reader.element), this.none)
    this.task = new Task(() => this.latest(true), () => 1500)
  }

  close () {
    this.task.stop()
  }

  makeItem (message) {
    return h('button', { type: 'button', class: 'message', role: 'option', tabindex: -1, onclick: () => this.choose(message.sequence) },
      h('b'), h('span', { class: 'when' }), h('span', { class: 'peek' }))
  }

  drawItem (node, message) {
    setText(node.children[0], number(message.sequence))
    setText(node.children[1], `${moment(new Date(message.timestamp))} · ${bytes(message.size)}`)
    setText(node.children[2], peek(fromBase64(message.data.slice(0, 240))) || '(empty)')
    const isChosen = message.sequence === this.chosen
    setAttribute(node, 'aria-selected', String(isChosen))
    setAttribute(node, 'tabindex', isChosen || (this.chosen === null && message === this.messages[0]) ? 0 : -1)
  }

  onkey (event) {
    const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key]
    if (step === undefined || this.messages.length === 0) {
      return
    }
    event.preventDefault()
    const at = this.messages.findIndex(message => message.sequence === this.chosen)
    const next = this.messages[Math.max(0, Math.min(this.messages.length - 1, at + step))]
    this.choose(next.sequence)
    this.keyed.nodes.get(next.sequence).focus()
  }

  choose (sequence) {
    this.chosen = sequence
    this.keyed.set(this.messages)
    const message = this.messages.find(message => message.sequence === sequence) ?? null
    if (message !== this.reader.message) {
      this.reader.open(message)
    }
  }

  async load (where, keep = false) {
    const turn = this.turn = (this.turn ?? 0) + 1
    try {
      const answer = await admin.messages(this.channel, where, LIMIT)
      if (turn === this.turn) {
        this.take(answer, keep)
      }
    } catch (error) {
      setText(this.error, error.message)
      show(this.error, true)
    }
  }

  take (answer, keep) {
    show(this.error, false)
    const wasLast = this.chosen === this.messages.at(-1)?.sequence
    Object.assign(this, { messages: answer.messages, first: answer.first_seq, last: answer.last_seq })
    const here = new Set(this.messages.map(message => message.sequence))
    const empty = this.messages.length === 0
    show(this.grid, !empty)
    show(this.none, empty)
    setText(this.none.firstChild, answer.first_seq > answer.last_seq || answer.last_seq === 0 ? 'No message stored' : 'No message there')
    setText(this.range, empty ? '' : `${number(this.messages[0].sequence)}–${number(this.messages.at(-1).sequence)} of ${number(answer.first_seq)}–${number(answer.last_seq)}`)
    const chosen = keep && here.has(this.chosen) && !wasLast ? this.chosen : this.messages.at(keep ? -1 : 0)?.sequence ?? null
    this.choose(chosen)
    if (keep && chosen === this.messages.at(-1)?.sequence) {
      this.list.scrollTop = this.list.scrollHeight
    }
  }

  earlier () {
    const start = (this.messages[0]?.sequence ?? this.last + 1) - LIMIT
    return this.load({ start: Math.max(this.first, start, 1) })
  }

  later () {
    const end = this.messages.at(-1)?.sequence ?? 0
    return end >= this.last ? this.latest() : this.load({ start: end + 1 })
  }

  // One look for where the end is, one to get there.
  async latest (following = false) {
    const channel = await this.app.state.fetchChannel(this.channel).catch(() => null)
    const last = channel?.last_seq ?? this.last
    if (following && last === this.messages.at(-1)?.sequence) {
      return
    }
    await this.load({ start: Math.max(1, last - LIMIT + 1) }, true)
  }

  jump () {
    const text = this.goto.value.trim().replace(/[,\s]+(?=\d{3}\b)/g, '')
    if (/^\d+$/.test(text)) {
      this.load({ start: text })
      return
    }
    const date = new Date(this.goto.value)
    if (Number.isNaN(date.getTime())) {
      setText(this.error, 'Enter a sequence, or a time such as 2026-01-31 16:30.')
      show(this.error, true)
      return
    }
    this.load({ time: date.toISOString() })
  }
}
