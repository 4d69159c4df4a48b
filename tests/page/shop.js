// shop.js - a server with something of everything, and where things are on the
// page.
'use strict'

const world = require('./world')

let ready = null

// Made once.
function shop () {
  ready = ready ?? fill()
  return ready
}

async function fill () {
  const server = await world.server('shop')
  for (const client of ['publisher', 'worker', 'billing-1', 'billing-2', 'mailer']) {
    await world.connect('shop', client)
  }
  await world.publish('publisher', 'orders', ...Array.from({ length: 30 }, (_, i) => JSON.stringify({ id: i })))
  await world.publish('publisher', 'mails', 'one', 'two', 'three')
  await world.publish('publisher', 'few.a', ...Array(12).fill('x'))
  await world.subscribe('worker', 'orders', 'stalled', { manual: true, max_in_flight: 5 })
  await world.subscribe('worker', 'orders', 'durable', { durable: 'book' })
  await world.subscribe('billing-1', 'orders', 'member-1', { group: 'billing', durable: 'inv' })
  await world.subscribe('billing-2', 'orders', 'member-2', { group: 'billing', durable: 'inv' })
  await world.subscribe('mailer', 'mails', 'smtp', { durable: 'smtp', first: false })
  await world.close('mailer')
  await world.publish('publisher', 'mails', 'four', 'five')
  return server
}

const figure = (page, name) => page.locator('.figures > div', { has: page.locator('dt', { hasText: new RegExp(`^${name}$`) }) }).locator('dd').first()
const row = (page, name) => page.locator('tbody tr', { has: page.locator('td.name', { hasText: new RegExp(`^${name}`) }) })
const cell = (page, name, label) => row(page, name).locator(`td[data-label="${label}"]`)

module.exports = { shop, figure, row, cell }
