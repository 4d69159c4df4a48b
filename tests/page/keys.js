// keys.js - all of it by keyboard, and nothing that moves under the hands.
'use strict'

const assert = require('assert')
const world = require('./world')
const { says, until } = require('./browser')
const { shop } = require('./shop')

const focused = page => page.evaluate(() => {
  const node = document.activeElement
  return { tag: node.tagName, text: node.innerText?.split(/[\t\n]/)[0], inDialog: Boolean(node.closest('dialog')), id: node.id }
})

module.exports = {
  async 'views, search and rows by key' (open) {
    const page = await open(await shop())
    await says(page.locator('#connection'), 'Live')
    for (const [key, title] of [['2', 'Channels'], ['3', 'Clients'], ['4', 'Server'], ['2', 'Channels']]) {
      await page.keyboard.press(key)
      await says(page.locator('h1'), title)
    }
    await until(async () => await page.locator('tbody td.name').count() > 2, 'rows')
    await page.keyboard.press('/')
    assert.strictEqual((await focused(page)).tag, 'INPUT')
    await page.keyboard.type('a') // no shortcut in a field
    await page.keyboard.press('Backspace')
    await page.keyboard.press('ArrowDown')
    const first = await focused(page)
    assert.strictEqual(first.tag, 'TR')
    await page.keyboard.press('j')
    assert.notStrictEqual((await focused(page)).text, first.text)
    await page.keyboard.press('k')
    assert.strictEqual((await focused(page)).text, first.text)
    await page.keyboard.press('End')
    const last = await focused(page)
    assert.notStrictEqual(last.text, first.text)
    await page.keyboard.press('Enter')
    await says(page.locator('h1'), last.text)
    await page.keyboard.press('Backspace')
    await says(page.locator('h1'), 'Channels')
  },

  async 'a dialog holds the focus and gives it back' (open) {
    const page = await open(await shop())
    await page.locator('#help').focus()
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
    await dialog.waitFor()
    for (let i = 0; i < 6; i++) {
      await page.keyboard.press('Tab')
      const at = await focused(page)
      assert.ok(at.inDialog || at.tag === 'BODY', `the focus got to ${JSON.stringify(at)}`)
    }
    await page.keyboard.press('2') // no shortcut behind a dialog
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    assert.strictEqual((await focused(page)).id, 'help')
    assert.ok(!page.url().includes('channels'))
  },

  async 'the focus can be seen, and the head be skipped' (open) {
    const page = await open(await shop(), '#/channels')
    await says(page.locator('#connection'), 'Live')
    await page.keyboard.press('Tab')
    assert.strictEqual((await focused(page)).text, 'Skip to the content')
    const seen = await page.evaluate(() => document.activeElement.getBoundingClientRect().top >= 0 || getComputedStyle(document.activeElement).top)
    assert.ok(seen)
    await page.keyboard.press('Tab')
    const style = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle)
    assert.strictEqual(style, 'solid')
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Enter')
    await until(async () => (await focused(page)).id === 'main', 'the content has the focus')
    await says(page.locator('h1'), 'Channels')
  },

  async 'what changes leaves focus, text and place alone' (open) {
    await shop()
    await world.publishMany('publisher', Array.from({ length: 60 }, (_, i) => `steady.${String(i).padStart(2, '0')}`))
    const server = await world.server('shop')
    const page = await open(server, '#/channels')
    const target = page.locator('tbody tr', { hasText: 'steady.30' })
    await until(async () => await page.locator('tbody tr').count() > 10, 'rows')
    await page.evaluate(() => scrollTo(0, 1400))
    await target.waitFor()
    await target.focus()
    await page.evaluate(() => { document.activeElement.mark = 'the same node' })
    const before = await page.evaluate(() => scrollY)
    await world.publish('publisher', 'steady.30', 'again', 'and again')
    await says(target.locator('td[data-label="msgs"]'), /3$/)
    assert.deepStrictEqual(await page.evaluate(() => [scrollY, document.activeElement.mark]), [before, 'the same node'])
    const search = page.getByRole('searchbox')
    await search.fill('steady.3')
    await search.evaluate(node => node.setSelectionRange(2, 4))
    await world.publish('publisher', 'steady.30', 'once more')
    await says(target.locator('td[data-label="msgs"]'), /4$/)
    assert.deepStrictEqual(await search.evaluate(node => [node.value, node.selectionStart, node.selectionEnd, node === document.activeElement]), ['steady.3', 2, 4, true])
  }
}
