// limits.js - which of the configured limits hold for a channel. Those of
// storez are after inheritance, so one entry tells all.

function matches (pattern, tokens) {
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] === '>') {
      return tokens.length > i
    }
    if (i >= tokens.length || (pattern[i] !== '*' && pattern[i] !== tokens[i])) {
      return false
    }
  }
  return pattern.length === tokens.length
}

// Narrower sorts behind wider: at each token ">", then "*", then a name.
function narrowness (pattern) {
  return pattern.map(token => token === '>' ? '0' : token === '*' ? '1' : '2').join('')
}

export class Limits {
  // limits: the object of that name in storez.
  constructor (limits) {
    this.global = limits
    this.named = new Map(Object.entries(limits.channels || {}))
    this.patterns = [...this.named.keys()]
      .map(name => name.split('.'))
      .filter(tokens => tokens.includes('*') || tokens.includes('>'))
      .sort((a, b) => narrowness(a) < narrowness(b) ? 1 : -1)
  }

  of (channel) {
    if (this.named.has(channel)) {
      return this.named.get(channel)
    }
    if (this.patterns.length === 0) {
      return this.global
    }
    const tokens = channel.split('.')
    const pattern = this.patterns.find(pattern => matches(pattern, tokens))
    return pattern ? this.named.get(pattern.join('.')) : this.global
  }
}

// How full, 0 to 1, by the limit that is nearest; null if there is none.
export function fill (channel, limits) {
  const parts = []
  if (limits?.max_msgs > 0) {
    parts.push(channel.msgs / limits.max_msgs)
  }
  if (limits?.max_bytes > 0) {
    parts.push(channel.bytes / limits.max_bytes)
  }
  return parts.length === 0 ? null : Math.max(...parts)
}

// A full channel drops its oldest; that is news, not always bad.
export function level (fraction) {
  return fraction >= 0.999 ? 'full' : fraction >= 0.8 ? 'warn' : 'fine'
}
