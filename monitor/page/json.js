// json.js - a JSON text as a tree that folds. Numbers stay as they were
// written: 64-bit ones would change on their way through a double.
import { h } from './dom.js'

const CHILDREN_MAX = 200 // shown at first, of one array or object

class Literal {
  constructor (text) {
    this.text = text
  }
}

// The value, or undefined if the text is no JSON.
export function parse (text) {
  try {
    return JSON.parse(text, (key, value, context) =>
      typeof value === 'number' ? new Literal(context?.source ?? String(value)) : value)
  } catch (error) {
    return undefined
  }
}

function leaf (value) {
  if (typeof value === 'string') {
    return h('span', { class: 'str' }, JSON.stringify(value))
  }
  return h('span', { class: 'lit' }, value instanceof Literal ? value.text : String(value))
}

function label (key) {
  return key === null ? [] : [h('span', { class: 'k' }, typeof key === 'number' ? String(key) : JSON.stringify(key)), ': ']
}

function fill (details, entries, from, depth) {
  details.append(...entries.slice(from, from + CHILDREN_MAX).map(([key, value]) => node(key, value, depth + 1)))
  const rest = entries.length - from - CHILDREN_MAX
  if (rest > 0) {
    details.append(h('button', {
      type: 'button',
      class: 'small quiet',
      onclick: event => {
        event.currentTarget.remove()
        fill(details, entries, from + CHILDREN_MAX, depth)
      }
    }, `${rest} more`))
  }
}

function node (key, value, depth) {
  if (value === null || typeof value !== 'object' || value instanceof Literal) {
    return h('div', { class: 'leaf' }, label(key), leaf(value))
  }
  const isArray = Array.isArray(value)
  const entries = isArray ? value.map((each, i) => [i, each]) : Object.entries(value)
  const [open, close] = isArray ? '[]' : '{}'
  if (entries.length === 0) {
    return h('div', { class: 'leaf' }, label(key), open + close)
  }
  const details = h('details', {}, h('summary', {}, label(key), open, h('span', { class: 'n' }, ` ${entries.length} `), close))
  const once = () => fill(details, entries, 0, depth)
  if (depth < 3) {
    details.open = true
    once()
  } else { // the deep ones when they are opened
    details.addEventListener('toggle', once, { once: true })
  }
  return details
}

export function tree (value) {
  return node(null, value, 0)
}
