// trouble.js - a server that goes and comes, and what is served of the page.
'use strict'

const assert = require('assert')
const world = require('./world')
const { says } = require('./browser')
const { figure } = require('./shop')

const GONE = [/ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|ERR_SOCKET_NOT_CONNECTED/]

module.exports = {
  async 'what is old is shown as stale, and goes on when the server does' (open) {
    const server = await world.server('fragile')
    await world.connect('fragile', 'steady')
    await world.publish('steady', 'kept', 'one', 'two')
    await world.close('steady')
    const page = await open(server, '#/', { expected: GONE })
    const pill = page.locator('#connection')
    await says(pill, 'Live')
    await says(figure(page, 'Channels'), '1')
    await world.stop('fragile')
    await says(pill, /^Stale, \d+ s old$/)
    assert.strictEqual(await pill.getAttribute('title'), 'The server cannot be reached.')
    await says(figure(page, 'Channels'), '1') // still there, but pale
    assert.strictEqual(await page.evaluate(() => document.documentElement.classList.contains('stale')), true)
    await world.restart('fragile')
    await says(pill, 'Live')
    assert.strictEqual(await page.evaluate(() => document.documentElement.classList.contains('stale')), false)
    await says(figure(page, 'Channels'), '1')
  },

  async 'an action without a server fails in words' (open) {
    const server = await world.server('fragile')
    await world.connect('fragile', 'again')
    await world.publish('again', 'kept', 'three')
    await world.close('again')
    const page = await open(server, '#/channels/kept', { token: server.token, expected: GONE })
    await page.getByRole('button', { name: 'Purge' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Type kept to confirm').fill('kept')
    await world.stop('fragile')
    await dialog.getByRole('button', { name: 'Purge' }).click()
    await says(dialog.getByRole('alert'), 'The server cannot be reached.')
    await world.restart('fragile')
    await dialog.getByRole('button', { name: 'Purge' }).click()
    await says(dialog.locator('.done'), /^Done/)
  },

  async 'each file comes with its policy, and once' (open) {
    const server = await world.server('shop')
    const answers = []
    const page = await open(server, '#/')
    page.on('response', response => answers.push(response))
    await page.reload()
    await says(page.locator('#connection'), 'Live')
    const files = answers.filter(answer => new URL(answer.url()).pathname.startsWith('/streaming/ui'))
    assert.ok(files.length > 15, `${files.length} files`)
    for (const file of files) {
      const headers = file.headers()
      assert.match(headers['content-security-policy'] ?? '', /^default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/, file.url())
      assert.strictEqual(headers['x-content-type-options'], 'nosniff')
      const again = await fetch(file.url(), { headers: { 'If-None-Match': headers.etag } })
      assert.strictEqual(again.status, 304, file.url())
    }
  }
}
