// format.js - numbers, sizes, times and bytes as people read them.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const NONE = '–'

export function number (value) {
  return Number.isFinite(value) ? whole.format(value) : NONE
}

// Three significant digits with a unit from a ladder.
function scaled (value, step, units) {
  let unit = 0
  while (Math.abs(value) >= 999.5 && unit < units.length - 1) {
    value /= step
    unit++
  }
  const digits = unit === 0 && Number.isInteger(value) ? 0 : value >= 100 ? 0 : value >= 10 ? 1 : 2
  return [value.toFixed(digits), units[unit]]
}

// 1,234 and 12,345 in full; 1.23 M from a million on.
export function short (value) {
  if (!Number.isFinite(value)) {
    return NONE
  }
  return Math.abs(value) < 1e6 ? whole.format(value) : scaled(value / 1e6, 1000, ['M', 'G', 'T', 'P']).join(' ')
}

// [text, unit] of a size in bytes.
export function bytesParts (value) {
  return Number.isFinite(value) ? scaled(value, 1024, ['B', 'KB', 'MB', 'GB', 'TB', 'PB']) : [NONE, '']
}

export function bytes (value) {
  return bytesParts(value).join(' ').trim()
}

// A rate a second: few digits where they say little.
export function rate (value) {
  if (!Number.isFinite(value)) {
    return NONE
  }
  return value >= 1e6 || value === 0 ? short(value) : value >= 100 ? whole.format(value) : value.toFixed(value >= 10 ? 1 : 2)
}

export function seconds (value) {
  if (!Number.isFinite(value)) {
    return NONE
  }
  if (value === 0) {
    return '0 s'
  }
  if (value < 1e-3) {
    return `${scaled(value * 1e6, 1000, ['µs'])[0]} µs`
  }
  return value < 1 ? `${scaled(value * 1e3, 1000, ['ms'])[0]} ms` : `${scaled(value, 1000, ['s'])[0]} s`
}

// A configured duration in nanoseconds; 0 is none.
export function limitTime (ns) {
  if (!ns) {
    return 'no limit'
  }
  return span(ns / 1e9)
}

// 3661 → "1 h 1 min".
export function span (total) {
  const parts = []
  let rest = Math.max(0, total)
  for (const [size, unit] of [[86400, 'd'], [3600, 'h'], [60, 'min']]) {
    if (rest >= size) {
      parts.push(`${Math.floor(rest / size)} ${unit}`)
      rest %= size
    }
  }
  if (parts.length < 2 && (rest > 0 || parts.length === 0)) {
    parts.push(`${Number(rest.toFixed(rest < 1 ? 3 : 0))} s`)
  }
  return parts.slice(0, 2).join(' ')
}

export function limitOf (value, text = number) {
  return value > 0 ? text(value) : 'no limit'
}

const two = value => String(value).padStart(2, '0')

export function clock (date) {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

export function dateTime (date) {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(date)}`
}

// A time on its own if it is of today, with its date otherwise.
export function moment (date) {
  return date.toDateString() === new Date().toDateString() ? clock(date) : dateTime(date)
}

export function plural (count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`
}

// ---- payloads ----

export function fromBase64 (text) {
  return Uint8Array.from(atob(text), c => c.charCodeAt(0))
}

export function toBase64 (data) {
  let text = ''
  for (let i = 0; i < data.length; i += 0x8000) {
    text += String.fromCharCode(...data.subarray(i, i + 0x8000))
  }
  return btoa(text)
}

// The text, or null if the bytes are no UTF-8.
export function utf8 (data) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data)
  } catch (error) {
    return null
  }
}

// Whether a text is for reading: no control characters but those of layout.
export function isReadable (text) {
  return text !== null && !/[\x00-\x08\x0e-\x1f\x7f]/.test(text)
}

// "00000010  68 65 6c ...  |hel|", sixteen bytes a line.
export function hex (data) {
  const lines = []
  for (let at = 0; at < data.length; at += 16) {
    const part = Array.from(data.subarray(at, at + 16))
    const digits = part.map(b => b.toString(16).padStart(2, '0'))
    const left = digits.slice(0, 8).join(' ').padEnd(23)
    const right = digits.slice(8).join(' ').padEnd(23)
    const plain = part.map(b => b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : '.').join('')
    lines.push(`${at.toString(16).padStart(8, '0')}  ${left}  ${right}  |${plain}|`)
  }
  return lines.join('\n')
}
