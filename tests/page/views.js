// views.js - what each view shows of a server at work.
'use strict'

const assert = require('assert')
const world = require('./world')
const { getJson, says, until, text } = require('./browser')
const { shop, figure, row, cell } = require('./shop')

module.exports = {


  async 'the overview shows totals, rates and what needs attention' (open) {
    const server = await shop()
    const page = await open(server)
    await says(page.locator('h1'), server.cluster)
    await says(page.locator('#connection'), 'Live')
    const shown = await getJson(server, 'serverz')
    await says(figure(page, 'Channels'), String(shown.channels))
    await says(figure(page, 'Subscriptions'), String(shown.subscriptions))
    await says(figure(page, 'Clients'), String(shown.clients))
    const attention = page.locator('section', { has: page.locator('h2', { hasText: 'Needs attention' }) })
    await says(attention.locator('li', { hasText: 'orders' }), /stalled[\s\S]*5 messages unacked/)
    await says(attention.locator('li', { hasText: 'mails' }), /offline[\s\S]*2 behind/)
    await says(attention.locator('li', { hasText: 'few.a' }), /full[\s\S]*oldest make room/)
    // One publishes; the page sees the rate, the chart gets its line.
    let number = 0
    await until(async () => {
      await world.publish('publisher', 'busy', `${number++}`)
      return parseFloat(await text(figure(page, 'Messages in'))) > 0
    }, 'a rate')
    await until(async () => /L/.test(await page.locator('.chart .line.s0').first().getAttribute('d')), 'a line')
    const busiest = page.locator('section', { has: page.locator('h2', { hasText: 'Busiest' }) }).locator('li', { hasText: 'busy' })
    await until(async () => {
      await world.publish('publisher', 'busy', `${number++}`)
      return await busiest.count() > 0 && /^busy\s+[\d.]+ msg\/s$/.test(await text(busiest))
    }, 'it is among the busiest')
  },

  async 'channels are searched, filtered, sorted and opened' (open) {
    const page = await open(await shop(), '#/channels')
    await says(cell(page, 'orders', 'msgs'), /30$/)
    await says(cell(page, 'orders', 'subs'), /4$/)
    await says(cell(page, 'orders', 'lag'), /25$/)
    await says(cell(page, 'few.a', 'fill'), /100 %/)
    const names = () => page.locator('tbody td.name').allInnerTexts()
    await page.getByRole('searchbox').fill('ord')
    await until(async () => (await names()).join() === 'orders', 'one row')
    await page.getByRole('searchbox').fill('nothing like it')
    await says(page.locator('.empty'), /No channel matches/)
    await page.getByRole('searchbox').fill('')
    await page.getByRole('button', { name: 'Offline' }).click()
    await until(async () => (await names()).join() === 'mails', 'offline only')
    await page.getByRole('button', { name: 'All', exact: true }).click()
    await page.getByRole('columnheader', { name: 'Lag' }).getByRole('button').click()
    await until(async () => (await names())[0] === 'orders', 'furthest behind first')
    assert.strictEqual(await page.getByRole('columnheader', { name: 'Lag' }).getAttribute('aria-sort'), 'descending')
    await row(page, 'orders').locator('td').nth(1).click()
    await says(page.locator('h1'), 'orders')
    assert.ok(page.url().endsWith('#/channels/orders'))
    await page.goBack() // as it was left
    await until(async () => (await names())[0] === 'orders', 'still sorted')
  },

  async 'a channel shows its subscriptions with their states' (open) {
    const server = await shop()
    const page = await open(server, '#/channels/orders')
    const shown = await getJson(server, 'channelsz?subs=1&channel=orders')
    await says(figure(page, 'Stored'), String(shown.msgs))
    await says(figure(page, 'Lag'), '25')
    await says(row(page, 'worker'), /plain[\s\S]*stalled[\s\S]*worker[\s\S]*25[\s\S]*5 of 5[\s\S]*30 s/)
    await says(row(page, 'book'), /durable[\s\S]*active/)
    assert.strictEqual(await row(page, 'inv:billing').count(), 2)
    await page.goto(`${server.url}/streaming/ui#/channels/mails`)
    await says(row(page, 'smtp'), /durable[\s\S]*offline[\s\S]*mailer/)
    await page.goto(`${server.url}/streaming/ui#/channels/few.a`)
    await says(page.locator('section', { has: page.locator('h2', { hasText: /^Limits$/ }) }), /10 of 10 \(100 %\)[\s\S]*Age of a message: 1 h/)
  },

  async 'a channel that is not there is said so, and shown when it comes' (open) {
    const server = await shop()
    const page = await open(server, '#/channels/later', { expected: [/404.*channel=later/] })
    await says(page.locator('.notice:visible'), /does not exist/)
    await world.publish('publisher', 'later', 'here')
    await says(figure(page, 'Stored'), '1')
  },

  async 'clients and their subscriptions' (open) {
    const server = await shop()
    const page = await open(server, '#/clients')
    await says(cell(page, 'worker', 'subs'), /2$/)
    await row(page, 'worker').click()
    await says(page.locator('h1'), 'worker')
    await says(row(page, 'book'), /orders/)
    await row(page, 'book').click()
    await says(page.locator('h1'), 'orders')
    const missing = await open(server, '#/clients/nobody', { expected: [/404.*client=nobody/] })
    await says(missing.locator('.notice:visible'), /not connected/)
  },

  async 'latencies between two looks at /metrics' (open) {
    const page = await open(await shop(), '#/server')
    let asked = 0 // 90 of 100 commits in each time take up to 1 ms, all up to 10
    await page.route('**/metrics?*', route => {
      asked++
      return route.fulfill({
        contentType: 'application/openmetrics-text',
        body: '# TYPE streamd_commit_duration_seconds histogram\n' + ['0.001', '0.01', '+Inf'].map((le, i) =>
          `streamd_commit_duration_seconds_bucket{le="${le}"} ${1000 + asked * (i === 0 ? 90 : 100)}\n`).join('') + '# EOF\n'
      })
    })
    await page.reload()
    await page.keyboard.press('1')
    const chart = page.locator('.chart', { has: page.locator('svg[aria-label^="Commit latency"]') })
    await says(chart.locator('.legend'), /Median 556 µs\s+99th percentile 9\.10 ms/)
    assert.ok(!await page.getByRole('heading', { name: 'Fsync latency' }).isVisible())
  },

  async 'latencies of a server that commits and syncs' (open) {
    const page = await open(await world.server('commits'))
    await world.connect('commits', 'committer')
    for (const latency of ['Commit', 'Fsync']) {
      const legend = page.locator('.chart', { has: page.locator(`svg[aria-label^="${latency} latency"]`) }).locator('.legend')
      await until(async () => {
        await world.publish('committer', 'few', 'x')
        return /Median [\d.]+ (µs|ms|s)\s+99th percentile [\d.]+ (µs|ms|s)/.test(await legend.innerText())
      }, `${latency} latency`)
    }
  },

  async 'the server, its store and its limits' (open) {
    const server = await shop()
    const page = await open(server, '#/server')
    const shown = await getJson(server, 'serverz')
    const fact = name => page.locator(`dt:text-is("${name}") + dd`)
    await says(fact('Server ID'), shown.server_id)
    await says(fact('Type'), 'FILE')
    await says(fact('Messages in a channel'), '1,000,000')
    await says(row(page, 'few.>'), /10[\s\S]*1 h/)
  },

  async 'names and payloads are never markup' (open) {
    const server = await shop()
    const name = '<b&"\'%2F#&lt;'
    await world.publish('publisher', name, '<script>alert(2)</script>')
    const page = await open(server, '#/channels', { token: server.token })
    await page.getByRole('searchbox').fill('<b&')
    await page.locator('tbody td.name a').first().click()
    await says(page.locator('h1'), name)
    await says(page.locator('.payload'), '<script>alert(2)</script>')
    assert.strictEqual(await page.locator('main :is(b:not(.message b, .legend b), i:not(.meter i, .pill i), script)').count(), 0)
  }
}
