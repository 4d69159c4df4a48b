// looks.js - phone, dark, contrast, motion.
'use strict'

const assert = require('assert')
const world = require('./world')
const { says, until } = require('./browser')
const { shop } = require('./shop')

const VIEWS = ['#/', '#/channels', '#/channels/orders', '#/clients', '#/clients/worker', '#/server']
const background = page => page.evaluate(() => getComputedStyle(document.body).backgroundColor)

// Text on what is behind it: each pair that base.css makes, by its names.
const PAIRS = [['ink', 'paper'], ['ink', 'card'], ['soft', 'card'], ['soft', 'sunk'], ['mute', 'paper'], ['mute', 'card'], ['mute', 'sunk'], ['accent', 'card'], ['accent', 'paper'], ['accent', 'accent-wash'], ['ink', 'accent-wash'], ['soft', 'accent-wash'],
  ['accent-ink', 'accent'], ['good', 'good-wash'], ['good', 'card'], ['warn', 'warn-wash'], ['warn', 'card'], ['bad', 'bad-wash'], ['bad', 'card'], ['card', 'bad'], ['out', 'card'], ['paper', 'ink']]

function luminance (colour) {
  const [r, g, b] = [1, 3, 5].map(i => parseInt(colour.slice(i, i + 2), 16) / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast (a, b) {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (high + 0.05) / (low + 0.05)
}

async function checkContrast (page) {
  const colours = await page.evaluate(names => {
    const style = getComputedStyle(document.documentElement)
    return Object.fromEntries(names.map(name => [name, style.getPropertyValue(`--${name}`).trim()]))
  }, [...new Set(PAIRS.flat())])
  const low = PAIRS.map(([text, behind]) => [text, behind, contrast(colours[text], colours[behind])]).filter(([, , ratio]) => !(ratio >= 4.5))
  assert.deepStrictEqual(low, [])
}

module.exports = {
  async 'on a phone nothing is wider than the screen' (open) {
    const server = await shop()
    const page = await open(server, '#/', { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, token: server.token })
    for (const hash of VIEWS) {
      await page.goto(`${server.url}/streaming/ui${hash}`)
      await page.locator('h1').waitFor()
      await says(page.locator('#connection'), 'Live')
      if (hash === '#/channels/orders') {
        await page.locator('.payload').waitFor()
      }
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      assert.ok(wide <= 0, `${hash}: ${wide} pixels too wide`)
    }
    const tabs = await page.locator('.tabs').boundingBox()
    assert.ok(Math.abs(tabs.y + tabs.height - 740) < 2, 'the tabs are at the bottom')
    await page.locator('.tabs').getByText('Channels').tap()
    await page.getByRole('combobox', { name: 'Sort by' }).selectOption('Sort by lag')
    await until(async () => (await page.locator('tbody td.name').first().innerText()) === 'orders', 'sorted')
    await page.locator('tbody tr', { hasText: 'orders' }).first().tap()
    await says(page.locator('h1'), 'orders')
  },

  async 'dark as the system, light or dark as chosen, and kept' (open) {
    const server = await shop()
    const dark = await open(server, '#/', { colorScheme: 'dark' })
    await says(dark.locator('#connection'), 'Live')
    const black = await background(dark)
    await checkContrast(dark)
    const light = await open(server)
    await says(light.locator('#connection'), 'Live')
    const white = await background(light)
    assert.notStrictEqual(black, white)
    await checkContrast(light)
    const button = dark.getByRole('button', { name: /^Colours/ })
    await button.click()
    assert.strictEqual(await background(dark), white)
    await dark.reload()
    assert.strictEqual(await background(dark), white)
    await dark.keyboard.press('d')
    await dark.keyboard.press('d')
    assert.strictEqual(await button.getAttribute('aria-label'), 'Colours: as the system')
    assert.strictEqual(await background(dark), black)
  },

  async 'no motion where none is wanted' (open) {
    const page = await open(await shop(), '#/', { reducedMotion: 'reduce' })
    await says(page.locator('#connection'), 'Live')
    const moving = await page.evaluate(() => [...document.querySelectorAll('*')].filter(node => {
      const style = getComputedStyle(node)
      return (parseFloat(style.transitionDuration) > 0 && style.transitionProperty !== 'none') || style.animationName !== 'none'
    }).length)
    assert.strictEqual(moving, 0)
  },

  async 'a chart is read by pointer and by key' (open) {
    await shop()
    const page = await open(await world.server('shop'))
    const chart = page.locator('.chart').first()
    await until(async () => /L/.test(await chart.locator('.line.s0').getAttribute('d')), 'a line')
    await chart.locator('svg').focus()
    await page.keyboard.press('ArrowLeft')
    await says(chart.locator('.legend em'), /^at \d\d:\d\d:\d\d$/)
    assert.match(await chart.locator('svg').getAttribute('aria-label'), /^Messages per second at .*: In .*, Out /)
    await chart.locator('svg').blur()
    await says(chart.locator('.legend em'), '')
    const box = await chart.locator('svg').boundingBox()
    await page.mouse.move(box.x + box.width - 5, box.y + 40)
    await says(chart.locator('.legend em'), /^at /)
  }
}
