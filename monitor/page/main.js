// main.js - the frame: which view is shown, the connection, keys, colours.
import { h, setAttribute, setText } from './dom.js'
import { span } from './format.js'
import * as admin from './admin.js'
import { actions, enterToken } from './actions.js'
import { inform, isOpen } from './dialogs.js'
import { state } from './state.js'
import { overview } from './view_overview.js'
import { channels } from './view_channels.js'
import { channel } from './view_channel.js'
import { clients, client } from './view_clients.js'
import { server } from './view_server.js'

const VIEWS = [
  [/^#?\/?$/, 'overview', overview],
  [/^#\/channels$/, 'channels', channels],
  [/^#\/channels\/(.+)$/, 'channels', channel],
  [/^#\/clients$/, 'clients', clients],
  [/^#\/clients\/(.+)$/, 'clients', client],
  [/^#\/server$/, 'server', server]
]
const KEYS = [
  ['1 to 4', 'Overview, channels, clients, server'], ['/', 'Search'], ['↓ ↑ or j k', 'Go through the rows'], ['Enter', 'Open the row'],
  ['Backspace', 'Back to the list'], ['a', 'Administer: enter the token'], ['p', 'Publish a message (with a token)'], ['d', 'Light, dark or as the system'], ['?', 'This list'], ['Esc', 'Close a dialog']
]
const THEMES = [[null, 'as the system'], ['light', 'light'], ['dark', 'dark']]

const app = {
  state,
  seconds: 300,
  offs: [],
  // off is called when the view goes.
  whileView (off) {
    this.offs.push(off)
  }
}
let view = null

// ---- views ----

function unescape (text) {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    return text
  }
}

function notFound () {
  return { title: 'Not found', element: h('div', { class: 'empty' }, h('strong', {}, 'There is no such view'), h('a', { href: '#/' }, 'Go to the overview')), tasks: [], update () {}, close () {} }
}

function route () {
  if (location.hash === '#main') { // the link that skips the head
    document.getElementById('main').focus()
    history.replaceState(null, '', app.hash || '#/')
    return
  }
  const isFirst = view === null
  view?.tasks.forEach(task => task.stop())
  app.offs.splice(0).forEach(off => off())
  view?.close?.()
  app.hash = location.hash
  const [match, name, make] = VIEWS.map(([pattern, name, make]) => [pattern.exec(location.hash), name, make]).find(([match]) => match) || [[''], '', notFound]
  view = make(match.slice(1).map(unescape), app)
  document.querySelectorAll('.tabs a').forEach(a => setAttribute(a, 'aria-current', a.dataset.view === name ? 'page' : null))
  const main = document.getElementById('main')
  main.replaceChildren(view.element)
  scrollTo(0, 0)
  if (!isFirst) {
    main.focus({ preventScroll: true })
  }
  view.tasks.forEach(task => task.start())
  draw()
}

function draw () {
  document.title = `${view.title} · ${state.server?.cluster_id || 'streamd'}`
  drawConnection()
  view.update(state)
}

// ---- the connection of the page itself ----

const pill = document.getElementById('connection')

function connectionWords () {
  const { kind, at, error } = state.connection
  if (kind === 'live') {
    return ['good', 'Live', 'What is shown is at most a few seconds old.']
  }
  if (kind === 'wait') {
    return ['wait', 'Connecting', '']
  }
  return ['bad', at === null ? 'No connection' : `Stale, ${span(Math.round((Date.now() - at) / 1000))} old`, error]
}

function drawConnection () {
  const [kind, text, detail] = connectionWords()
  setAttribute(pill, 'data-kind', kind)
  setText(pill.lastElementChild, text)
  setAttribute(pill, 'title', detail)
  // Announced once, not each second that it is older.
  setAttribute(pill, 'aria-live', kind === 'bad' && text.startsWith('Stale, ') && pill.dataset.was === 'bad' ? 'off' : 'polite')
  pill.dataset.was = kind
  document.documentElement.classList.toggle('stale', kind === 'bad')
}

// ---- administration ----

const key = document.getElementById('admin')
key.addEventListener('click', () => enterToken(app))

function drawAdmin () {
  setAttribute(key, 'data-on', String(admin.isOn()))
  setText(key.lastElementChild, admin.isOn() ? 'Administrator' : 'Administer')
}
admin.onChange(drawAdmin)

// ---- colours ----

const themeButton = document.getElementById('theme')

function themeNow () {
  return document.documentElement.dataset.theme ?? null
}

function drawTheme () {
  const [, words] = THEMES.find(([theme]) => theme === themeNow())
  setAttribute(themeButton, 'aria-label', `Colours: ${words}`)
  setAttribute(themeButton, 'title', `Colours: ${words}`)
}

function nextTheme () {
  const at = THEMES.findIndex(([theme]) => theme === themeNow())
  const [theme] = THEMES[(at + 1) % THEMES.length]
  setAttribute(document.documentElement, 'data-theme', theme)
  try {
    if (theme === null) {
      localStorage.removeItem('streamd-theme')
    } else {
      localStorage.setItem('streamd-theme', theme)
    }
  } catch (error) { /* then for this page only */ }
  drawTheme()
}
themeButton.addEventListener('click', nextTheme)

// ---- keys ----

function showKeys () {
  inform('Keyboard shortcuts', h('dl', { class: 'keys' }, KEYS.flatMap(([keys, what]) => [h('dt', {}, h('kbd', {}, keys)), h('dd', {}, what)])))
}
document.getElementById('help').addEventListener('click', showKeys)

const HANDLERS = {
  1: () => { location.hash = '#/' },
  2: () => { location.hash = '#/channels' },
  3: () => { location.hash = '#/clients' },
  4: () => { location.hash = '#/server' },
  '/': () => view.search?.focus(),
  '?': showKeys,
  a: () => enterToken(app),
  d: nextTheme,
  j: () => view.table?.focusRow(0),
  ArrowDown: () => view.table?.focusRow(0),
  Backspace: () => { location.hash = view.up ?? location.hash },
  p: () => admin.isOn() && actions.publish({ channel: /^#\/channels\/./.test(location.hash) ? view.title : undefined, done: () => view.tasks.forEach(task => task.now()) })
}

addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isOpen()) {
    return
  }
  const field = event.target.closest('input, textarea, select')
  if (field) {
    if (event.key === 'Escape') {
      field.blur()
    } else if (event.key === 'ArrowDown' && field === view.search) {
      event.preventDefault()
      view.table.focusRow(0)
    }
    return
  }
  const isPlace = event.key === 'ArrowDown' && event.target !== document.body && event.target.id !== 'main'
  const run = isPlace ? undefined : HANDLERS[event.key]
  if (run && !(event.key === 'ArrowDown' && !view.search)) {
    event.preventDefault()
    run()
  }
})

drawAdmin()
drawTheme()
state.on(draw)
addEventListener('hashchange', route)
state.totals.start()
route()
