// dom.js - making elements, and changing them only where they changed, so that
// nothing flickers and neither focus nor selection is lost.

const SVG = 'http://www.w3.org/2000/svg'

function apply (node, attributes) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) {
      continue
    }
    if (name.startsWith('on')) {
      node.addEventListener(name.slice(2), value)
    } else if (name === 'value' || name === 'checked' || name === 'disabled') {
      node[name] = value
    } else {
      node.setAttribute(name, value === true ? '' : value)
    }
  }
  return node
}

// An element: attributes, listeners ("onclick"), then children; texts are
// inserted as text, never as markup.
export function h (tag, attributes, ...children) {
  const node = apply(document.createElement(tag), attributes)
  node.append(...children.flat().filter(child => child !== null && child !== undefined))
  return node
}

export function svg (tag, attributes, ...children) {
  const node = apply(document.createElementNS(SVG, tag), attributes)
  node.append(...children.flat())
  return node
}

export function setText (node, text) {
  const wanted = String(text)
  if (node.textContent !== wanted) {
    node.textContent = wanted
  }
}

// null removes it.
export function setAttribute (node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) {
      node.removeAttribute(name)
    }
  } else if (node.getAttribute(name) !== String(value)) {
    node.setAttribute(name, value)
  }
}

export function show (node, visible) {
  if (node.hidden === visible) {
    node.hidden = !visible
  }
}

// Makes parent's children those of items, in that order: nodes are made once
// for a key, updated in place, and moved only if their order changed.
export class Keyed {
  constructor (parent, key, make, update) {
    Object.assign(this, { parent, key, make, update, nodes: new Map() })
  }

  set (items, before = null) {
    const focused = document.activeElement
    const keep = new Set(items.map(this.key))
    for (const [key, node] of this.nodes) {
      if (!keep.has(key)) {
        node.remove()
        this.nodes.delete(key)
      }
    }
    let next = before
    for (let i = items.length - 1; i >= 0; i--) {
      const key = this.key(items[i])
      let node = this.nodes.get(key)
      if (node === undefined) {
        node = this.make(items[i])
        this.nodes.set(key, node)
      }
      this.update(node, items[i], i)
      if (node.parentNode !== this.parent || node.nextSibling !== next) {
        this.parent.insertBefore(node, next)
      }
      next = node
    }
    if (focused !== document.activeElement && focused?.isConnected) {
      focused.focus({ preventScroll: true })
    }
  }
}

// A list of name and value; update({name: value}) fills in.
export function facts (names) {
  const values = new Map()
  const element = h('dl', { class: 'facts live' }, names.flatMap(name => {
    const value = h('dd', {}, '–')
    values.set(name, value)
    return [h('dt', {}, name), value]
  }))
  return {
    element,
    update (texts) {
      for (const [name, text] of Object.entries(texts)) {
        setText(values.get(name), text)
      }
    }
  }
}

// Large figures: [[name, class?]]; update({name: [value, unit, below]}).
export function figures (names) {
  const cells = new Map()
  const element = h('dl', { class: `figures card live${names.length % 2 ? ' odd' : ''}` },
    names.map(([name, kind]) => {
      const [value, unit, below] = [document.createTextNode('–'), h('small'), h('span')]
      cells.set(name, { value, unit, below })
      return h('div', {}, h('dt', { class: kind || '' }, name), h('dd', {}, value, unit), h('dd', { class: 'below' }, below))
    }))
  return {
    element,
    update (texts) {
      for (const [name, [value, unit = '', below = '']] of Object.entries(texts)) {
        const cell = cells.get(name)
        if (cell.value.data !== value) {
          cell.value.data = value
        }
        setText(cell.unit, unit)
        setText(cell.below, below)
      }
    }
  }
}

// Buttons of which one is pressed: [[value, text]].
export function segments (label, choices, chosen, onchange) {
  const buttons = choices.map(([value, text]) => h('button', {
    type: 'button',
    'aria-pressed': String(value === chosen),
    onclick: () => choose(value)
  }, text))
  function choose (value) {
    choices.forEach(([each], i) => setAttribute(buttons[i], 'aria-pressed', String(each === value)))
    onchange(value)
  }
  return h('div', { class: 'segments', role: 'group', 'aria-label': label }, buttons)
}

export function card (title, body, ...tools) {
  return h('section', { class: 'card' }, h('header', {}, h('h2', {}, title), tools), body)
}

export function emptyNote (title, text, tight) {
  return h('div', { class: tight ? 'empty tight' : 'empty' }, h('strong', {}, title), text)
}
