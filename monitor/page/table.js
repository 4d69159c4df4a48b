// table.js - a table of any length: only the rows in sight exist. Sorted by
// its heads, walked with the arrow keys, drawn as cards on a phone.
import { h, Keyed, setAttribute, setText, show, emptyNote } from './dom.js'

const OVERSCAN = 8
const NARROW = matchMedia('(max-width: 720px)')
const ROW = () => NARROW.matches ? 76 : 44
const LETTERS = new Intl.Collator('en', { numeric: true })

function compare (a, b) {
  if (typeof a === 'string' || typeof b === 'string') {
    return LETTERS.compare(a ?? '', b ?? '')
  }
  return (a ?? -Infinity) - (b ?? -Infinity)
}

export class Table {
  // columns: [{id, title, value(row) (to sort by; none: not sortable), draw(cell,
  // row), num, width, low, label}]; key(row); open(row): what Enter and a click do.
  constructor ({ label, columns, key, open, sort, empty, short = false }) {
    Object.assign(this, { label, columns, key, openRow: open, rows: [], order: [], short })
    this.sort = sort || { id: columns[0].id, down: false }
    this.heads = columns.map(column => this.makeHead(column))
    this.above = h('tr', { class: 'spacer', 'aria-hidden': 'true' }, h('td', { colspan: columns.length }))
    this.below = this.above.cloneNode(true)
    this.body = h('tbody', { role: 'rowgroup' }, this.above, this.below)
    this.table = h('table', { class: `table live${short ? ' tall' : ''}`, role: 'table', 'aria-label': label },
      h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, this.heads)), this.body)
    this.sorter = this.makeSorter()
    this.none = emptyNote(...(empty || ['Nothing here', '']))
    this.element = h('div', {}, this.table, this.none)
    this.keyed = new Keyed(this.body, key, row => this.makeRow(row), (node, row, i) => this.drawRow(node, row, i))
    this.listen()
  }

  makeHead (column) {
    const attributes = { class: `${column.num ? 'num ' : ''}${column.low ? 'wide' : ''}`, role: 'columnheader', scope: 'col' }
    const head = h('th', attributes, column.value
      ? h('button', { type: 'button', onclick: () => this.sortBy(column) }, column.title)
      : h('span', {}, column.title))
    if (column.width) {
      head.style.width = column.width
    }
    return head
  }

  // Instead of the heads, where there are none.
  makeSorter () {
    const sortable = this.columns.filter(column => column.value)
    const select = h('select', {
      class: 'sorter',
      'aria-label': 'Sort by',
      onchange: () => {
        const column = sortable[select.selectedIndex]
        this.sort = { id: column.id, down: Boolean(column.num) }
        this.refresh()
        this.onsort?.()
      }
    }, sortable.map(column => h('option', {}, `Sort by ${column.title.toLowerCase()}`)))
    return select
  }

  sortBy (column) {
    const same = this.sort.id === column.id
    this.sort = { id: column.id, down: same ? !this.sort.down : Boolean(column.num) }
    this.refresh()
    this.onsort?.()
  }

  listen () {
    this.onscroll = () => this.drawSoon()
    addEventListener('scroll', this.onscroll, { passive: true })
    addEventListener('resize', this.onscroll)
    this.body.addEventListener('keydown', event => this.onkey(event))
    this.body.addEventListener('click', event => {
      const row = event.target.closest('tr')
      if (row?.shown && this.openRow && !event.target.closest('a, button') && !String(getSelection())) {
        this.openRow(row.shown)
      }
    })
  }

  close () {
    removeEventListener('scroll', this.onscroll)
    removeEventListener('resize', this.onscroll)
    cancelAnimationFrame(this.frame)
  }

  onkey (event) {
    const row = event.target.closest('tr')
    if (!row || event.target !== row) {
      return
    }
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 12, PageUp: -12, Home: -Infinity, End: Infinity }[event.key]
    if (event.key === 'Enter' && this.openRow) {
      this.openRow(row.shown)
    } else if (step !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault()
      this.focusRow(this.order.indexOf(row.shown) + step)
    }
  }

  focusRow (wanted) {
    const index = Math.max(0, Math.min(this.order.length - 1, wanted))
    if (this.order.length === 0) {
      return
    }
    const top = this.body.getBoundingClientRect().top + scrollY + index * ROW()
    if (!this.short) {
      const [first, last] = [scrollY + 100, scrollY + innerHeight - ROW() - 80]
      if (top < first || top > last) {
        scrollTo({ top: Math.max(0, top - innerHeight / 2) })
      }
    }
    this.active = this.key(this.order[index])
    this.draw()
    this.keyed.nodes.get(this.active)?.focus({ preventScroll: !this.short })
  }

  makeRow () {
    return h('tr', { role: 'row', 'data-open': Boolean(this.openRow) }, this.columns.map(column =>
      h('td', {
        role: 'cell',
        class: `${column.id === this.columns[0].id ? 'name ' : ''}${column.num ? 'num ' : ''}${column.low ? 'wide low ' : ''}${column.acts ? 'acts-cell' : ''}`,
        'data-label': column.label
      })))
  }

  drawRow (node, row, i) {
    node.shown = row
    this.columns.forEach((column, k) => column.draw(node.children[k], row))
    setAttribute(node, 'aria-rowindex', this.first + i + 2)
    const isActive = this.active === this.key(row) || (this.active === undefined && this.first + i === 0)
    setAttribute(node, 'tabindex', isActive ? 0 : -1)
  }

  setRows (rows) {
    this.rows = rows
    this.refresh()
  }

  refresh () {
    const column = this.columns.find(column => column.id === this.sort.id)
    const turn = this.sort.down ? -1 : 1
    const keyed = this.rows.map(row => [column.value(row), this.key(row), row])
    if (this.sorted !== false) {
      keyed.sort((a, b) => turn * compare(a[0], b[0]) || LETTERS.compare(a[1], b[1]))
    }
    this.order = keyed.map(entry => entry[2])
    this.heads.forEach((head, i) => setAttribute(head, 'aria-sort', this.columns[i] !== column ? null : this.sort.down ? 'descending' : 'ascending'))
    if (this.active !== undefined && !keyed.some(entry => entry[1] === this.active)) {
      this.active = undefined
    }
    setAttribute(this.table, 'aria-rowcount', this.order.length + 1)
    show(this.table, this.order.length > 0)
    show(this.none, this.order.length === 0)
    this.draw()
  }

  setEmpty (title, text) {
    setText(this.none.firstChild, title)
    setText(this.none.lastChild, text)
  }

  drawSoon () {
    cancelAnimationFrame(this.frame)
    this.frame = requestAnimationFrame(() => this.draw())
  }

  // Which rows are in sight, and more of them above and below.
  window (more = OVERSCAN) {
    const count = this.order.length
    if (this.short) {
      return [0, count]
    }
    const top = this.body.getBoundingClientRect().top
    const first = Math.floor(-top / ROW()) - more
    const last = Math.ceil((innerHeight - top) / ROW()) + more
    return [Math.max(0, Math.min(count, first)), Math.max(0, Math.min(count, last))]
  }

  // The focused row stays, wherever it is: the keyboard goes on from there.
  draw () {
    const [first, last] = this.window()
    this.first = first
    const focused = document.activeElement?.closest?.('tr')
    const at = focused && this.body.contains(focused) ? this.order.findIndex(row => this.key(row) === this.key(focused.shown)) : -1
    if (at >= 0 && (at < first || at >= last)) {
      this.drawAround(at, first, last)
      return
    }
    this.above.firstChild.style.height = `${first * ROW()}px`
    this.below.firstChild.style.height = `${(this.order.length - last) * ROW()}px`
    this.keyed.set(this.order.slice(first, last), this.below)
  }

  drawAround (at, first, last) {
    const [from, to] = at < first ? [Math.max(at, first - 40), last] : [first, Math.min(at + 1, last + 40)]
    this.first = from
    this.above.firstChild.style.height = `${from * ROW()}px`
    this.below.firstChild.style.height = `${(this.order.length - to) * ROW()}px`
    this.keyed.set(this.order.slice(from, to), this.below)
  }

  inSight () {
    return this.order.slice(...this.window(0))
  }

  // Draws what replacement(key) is now (nothing: as it was) in the order of
  // before.
  replaceRows (replacement) {
    this.order = this.order.map(row => replacement(this.key(row)) ?? row)
    this.draw()
  }
}
