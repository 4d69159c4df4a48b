// charts.js - lines over time, drawn as SVG; read by pointer or arrow keys.
import { h, svg, setAttribute, setText, show } from './dom.js'
import { clock } from './format.js'

const HEIGHT = 168
const PLOT = { top: 10, bottom: 22, right: 2 }

// 1, 2 or 5 times a power of ten (of two for sizes), not below value.
function niceCeiling (value, binary) {
  if (!(value > 0)) {
    return binary ? 1024 : 1
  }
  const base = binary ? 2 ** (10 * Math.floor(Math.log2(value) / 10)) : 10 ** Math.floor(Math.log10(value))
  const steps = binary ? [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] : [1, 2, 5, 10]
  return base * steps.find(step => base * step >= value * 0.9999)
}

export class LineChart {
  // series: [{name, value(sample) → number or null}]; text(number) → string.
  constructor ({ label, series, text, binary = false, least = 0, none = 'Collecting…' }) {
    Object.assign(this, { label, series, text, binary, least, samples: [], seconds: 300, cursor: null, width: 600 })
    this.figures = series.map(() => h('b', {}, '–'))
    this.lines = series.map((_, i) => svg('path', { class: `line s${i}` }))
    this.areas = series.map((_, i) => svg('path', { class: `area s${i}` }))
    this.dots = series.map((_, i) => svg('circle', { class: `dot s${i}`, r: 3.5 }))
    this.rule = svg('line', { class: 'cursor', y1: PLOT.top, y2: HEIGHT - PLOT.bottom })
    this.grid = [0, 1, 2].map(() => [svg('line', { class: 'grid-line' }), svg('text', {})])
    this.times = [svg('text', { y: HEIGHT - 4 }), svg('text', { y: HEIGHT - 4, 'text-anchor': 'end' })]
    this.note = h('div', { class: 'none' }, none)
    this.picture = svg('svg', { role: 'img', tabindex: 0 }, this.grid.flat(), this.areas, this.lines, this.rule, this.dots, this.times)
    this.element = h('div', { class: 'chart live' },
      h('div', { class: 'legend' }, series.map(({ name }, i) => h('span', { class: `s${i}` }, `${name} `, this.figures[i])), this.at = h('em', { class: 'mute' })),
      this.picture, this.note)
    this.listen()
  }

  listen () {
    this.picture.addEventListener('pointermove', event => {
      const box = this.picture.getBoundingClientRect()
      this.point((event.clientX - box.left - this.left()) / this.plotWidth())
    })
    this.picture.addEventListener('pointerleave', () => this.leave())
    this.picture.addEventListener('blur', () => this.leave())
    this.picture.addEventListener('keydown', event => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
      if (step !== undefined) {
        event.preventDefault()
        const last = this.shown().length - 1
        this.cursor = Math.max(0, Math.min(last, (this.cursor ?? last + 1) + step))
        this.draw()
      }
    })
    this.observer = new ResizeObserver(([entry]) => {
      this.width = Math.max(120, entry.contentRect.width)
      this.draw()
    })
    this.observer.observe(this.picture)
  }

  close () {
    this.observer.disconnect()
  }

  leave () {
    this.cursor = null
    this.draw()
  }

  left () {
    return 58
  }

  plotWidth () {
    return this.width - this.left() - PLOT.right
  }

  shown () {
    const last = this.samples.at(-1)
    return last === undefined ? [] : this.samples.filter(sample => sample.time >= last.time - this.seconds * 1000)
  }

  // fraction: 0 at the left edge, 1 at the right.
  point (fraction) {
    const shown = this.shown()
    if (shown.length < 2) {
      return
    }
    const time = shown.at(-1).time - (1 - fraction) * this.seconds * 1000
    let best = 0
    shown.forEach((sample, i) => {
      if (Math.abs(sample.time - time) < Math.abs(shown[best].time - time)) {
        best = i
      }
    })
    this.cursor = best
    this.draw()
  }

  // samples: [{time (ms), ...}] in order; a sample with gap: true breaks lines.
  update (samples, seconds) {
    const [first, last] = [samples[0]?.time, samples.at(-1)?.time]
    this.samples = samples // a young page shows what it has, not mostly nothing
    this.seconds = Math.min(seconds, Math.max(60, Math.ceil((last - first) / 60000) * 60 || 60))
    this.draw()
  }

  draw () {
    const shown = this.shown()
    const values = this.series.map(({ value }) => shown.map(sample => sample.gap ? null : value(sample) ?? null))
    const most = Math.max(this.least, ...values.flat().filter(Number.isFinite))
    const top = niceCeiling(most, this.binary)
    const end = shown.at(-1)?.time ?? Date.now()
    const x = sample => this.left() + this.plotWidth() * (1 - (end - sample.time) / (this.seconds * 1000))
    const y = value => PLOT.top + (HEIGHT - PLOT.top - PLOT.bottom) * (1 - value / top)
    setAttribute(this.picture, 'viewBox', `0 0 ${this.width} ${HEIGHT}`)
    show(this.note, !values.some(line => line.filter(value => value !== null).length > 1))
    this.drawGrid(top, y, end)
    values.forEach((line, i) => this.drawLine(i, line, shown, x, y))
    this.drawCursor(values, shown, x, y)
  }

  drawGrid (top, y, end) {
    this.grid.forEach(([line, text], i) => {
      const value = top * i / 2
      const at = Math.round(y(value)) + 0.5
      setAttribute(line, 'x1', this.left())
      setAttribute(line, 'x2', this.width)
      setAttribute(line, 'y1', at)
      setAttribute(line, 'y2', at)
      setAttribute(text, 'x', this.left() - 8)
      setAttribute(text, 'y', at + 4)
      setAttribute(text, 'text-anchor', 'end')
      setText(text, this.text(value).replace(/\.0+(?=\D|$)/, ''))
    })
    setAttribute(this.times[0], 'x', this.left())
    setAttribute(this.times[1], 'x', this.width)
    setText(this.times[0], clock(new Date(end - this.seconds * 1000)))
    setText(this.times[1], clock(new Date(end)))
  }

  drawLine (i, values, shown, x, y) {
    let [line, area, start, last] = ['', '', null, null]
    const floor = y(0).toFixed(1)
    const finish = () => {
      area += start === null ? '' : `L${last} ${floor}L${start} ${floor}Z`
      start = null
    }
    values.forEach((value, k) => {
      if (value === null) {
        finish()
        return
      }
      last = x(shown[k]).toFixed(1)
      const step = `${start === null ? 'M' : 'L'}${last} ${y(value).toFixed(1)}`
      line += step
      area += step
      start = start ?? last
    })
    finish()
    setAttribute(this.lines[i], 'd', line || 'M0 0')
    setAttribute(this.areas[i], 'd', area || 'M0 0')
  }

  drawCursor (values, shown, x, y) {
    const at = this.cursor === null ? null : Math.min(this.cursor, shown.length - 1)
    const sample = at === null || at < 0 ? null : shown[at]
    const spoken = []
    this.rule.style.display = sample ? '' : 'none'
    if (sample) {
      setAttribute(this.rule, 'x1', x(sample))
      setAttribute(this.rule, 'x2', x(sample))
    }
    values.forEach((line, i) => {
      const value = line[sample ? at : line.length - 1] ?? null
      const text = value === null ? '–' : this.text(value)
      setText(this.figures[i], text)
      spoken.push(`${this.series[i].name} ${text}`)
      this.dots[i].style.display = sample && value !== null ? '' : 'none'
      if (sample && value !== null) {
        setAttribute(this.dots[i], 'cx', x(sample))
        setAttribute(this.dots[i], 'cy', y(value))
      }
    })
    setText(this.at, sample ? `at ${clock(new Date(sample.time))}` : '')
    setAttribute(this.picture, 'aria-label', `${this.label}${sample ? ` at ${clock(new Date(sample.time))}` : ' now'}: ${spoken.join(', ')}. Arrow keys read earlier values.`)
  }
}
