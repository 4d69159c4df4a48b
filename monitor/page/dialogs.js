// dialogs.js - dialogs on <dialog>, which keeps the focus inside and closes on
// Escape; and short notes at the bottom.
import { h, setText, show } from './dom.js'

function open (label, ...content) {
  const before = document.activeElement
  const dialog = h('dialog', { 'aria-label': label }, content)
  dialog.addEventListener('close', () => {
    dialog.remove()
    if (before?.isConnected) {
      before.focus({ preventScroll: true })
    }
  })
  dialog.addEventListener('click', event => { // on the backdrop
    if (event.target === dialog && !dialog.busy) {
      dialog.close()
    }
  })
  dialog.addEventListener('cancel', event => {
    if (dialog.busy) {
      event.preventDefault()
    }
  })
  document.body.append(dialog)
  dialog.showModal()
  return dialog
}

export function isOpen () {
  return document.querySelector('dialog[open]') !== null
}

export function inform (title, ...content) {
  const close = h('button', { type: 'button', class: 'primary', onclick: () => dialog.close() }, 'Close')
  const dialog = open(title, h('div', { class: 'inside' }, h('h2', {}, title), content, h('div', { class: 'buttons' }, close)))
  close.focus()
  return dialog
}

let count = 0

// {name, label, kind: text|password|number|area|datetime|check|choice, value,
// hint, choices: [[value, text]], when(values): shown} → its element and a way to its value.
function field (spec) {
  const id = `field-${++count}`
  const common = { id, name: spec.name, value: spec.value ?? '', 'aria-describedby': spec.hint ? `${id}-hint` : null, required: spec.required }
  const hint = spec.hint ? h('small', { id: `${id}-hint` }, spec.hint) : null
  if (spec.kind === 'check') {
    const input = h('input', { id, type: 'checkbox', name: spec.name, checked: Boolean(spec.value) })
    return { element: h('div', { class: 'field' }, h('label', { class: 'choice', for: id }, input, spec.label), hint), value: () => input.checked }
  }
  if (spec.kind === 'choice') {
    const inputs = spec.choices.map(([value, text]) => ({ value, text, input: h('input', { type: 'radio', name: id, value, checked: value === spec.value, id: `${id}-${value}` }) }))
    return {
      element: h('fieldset', { class: 'field choices' }, h('legend', { class: 'sr' }, spec.label), inputs.map(({ value, text, input }) => h('label', { class: 'choice', for: `${id}-${value}` }, input, text))),
      value: () => inputs.find(({ input }) => input.checked)?.value
    }
  }
  const input = spec.kind === 'area'
    ? h('textarea', { ...common, spellcheck: 'false', rows: 6 })
    : h('input', { ...common, type: { password: 'password', datetime: 'datetime-local', number: 'text' }[spec.kind] || 'text', step: spec.kind === 'datetime' ? 1 : null, inputmode: spec.kind === 'number' ? 'numeric' : null, autocomplete: 'off', spellcheck: 'false', autocapitalize: 'off' })
  return { element: h('div', { class: 'field' }, h('label', { for: id }, spec.label), input, hint), value: () => input.value }
}

// The server's own words, field by field.
function answerView (answer) {
  return h('pre', { class: 'answer', tabindex: 0, 'aria-label': 'Answer of the server' }, JSON.stringify(answer, null, 2))
}

// Asks before something is done, does it, and shows what the server said.
//   {title, text: [nodes], fields, word: what must be typed, action: the
//   button, danger, run(values) → answer, done(answer), quiet: close at once}
export function ask ({ title, text = [], fields = [], word, action, danger, run, done, quiet }) {
  const made = fields.map(spec => [spec.name, field(spec), spec.when])
  const typed = word === undefined ? null : field({ name: 'word', label: `Type ${word} to confirm`, kind: 'text' })
  const error = h('p', { class: 'error', role: 'alert', hidden: true })
  const submit = h('button', { type: 'submit', class: `primary${danger ? ' danger' : ''}` }, action)
  const cancel = h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel')
  const form = h('form', { method: 'dialog', novalidate: true }, h('h2', {}, title), text.map(each => each instanceof Node ? each : h('p', {}, each)),
    made.map(([, { element }]) => element), typed?.element ?? [], error, h('div', { class: 'buttons' }, cancel, submit))
  const dialog = open(title, form)
  const values = () => Object.fromEntries(made.map(([name, { value }]) => [name, value()]))
  const allowed = () => {
    submit.disabled = dialog.busy || (typed !== null && typed.value() !== word)
    made.forEach(([, { element }, when]) => show(element, when === undefined || when(values())))
  }
  allowed()
  form.addEventListener('input', allowed)
  form.addEventListener('submit', async event => {
    event.preventDefault()
    if (submit.disabled) {
      return
    }
    dialog.busy = true
    allowed()
    show(error, false)
    try {
      const answer = await run(values())
      dialog.busy = false
      done?.(answer)
      if (quiet) {
        dialog.close()
      } else {
        finish(dialog, title, answer)
      }
    } catch (failure) {
      dialog.busy = false
      setText(error, failure.message)
      show(error, true)
      allowed()
    }
  })
  return dialog
}

function finish (dialog, title, answer) {
  const close = h('button', { type: 'button', class: 'primary', onclick: () => dialog.close() }, 'Close')
  dialog.replaceChildren(h('div', { class: 'inside' }, h('h2', {}, title), h('p', { class: 'done', role: 'status' }, 'Done. The server answered:'), answerView(answer), h('div', { class: 'buttons' }, close)))
  close.focus()
}

export function toast (text) {
  const note = h('div', { class: 'toast' }, text)
  document.getElementById('toasts').append(note)
  setTimeout(() => note.remove(), 4000)
}
