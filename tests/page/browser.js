// browser.js - Chromium, and pages that fail a scenario by any error in their
// console, breach of the Content-Security-Policy or request to another host.
'use strict'

const assert = require('assert')
const { chromium } = require('playwright-core')

const PATIENCE = 60000 // ms
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

// Waits until probe() gives something true, and returns that.
async function until (probe, what, patience = PATIENCE) {
  const end = Date.now() + patience
  for (;;) {
    const value = await probe()
    if (value) {
      return value
    }
    if (Date.now() > end) {
      throw new Error(`not within ${patience} ms: ${what}`)
    }
    await new Promise(resolve => setTimeout(resolve, 25))
  }
}

class Browser {
  static async launch () {
    return new Browser(await chromium.launch({ executablePath: process.env.CHROMIUM, args: FLAGS }))
  }

  constructor (browser) {
    this.browser = browser
  }

  close () {
    return this.browser.close()
  }

  // Runs it with a function that opens pages; closes them and looks at what
  // they complained about.
  async scenario (run) {
    const contexts = []
    const complaints = []
    const open = async (server, hash = '#/', options = {}) => {
      const context = await this.browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light', ...options })
      contexts.push(context)
      context.setDefaultTimeout(PATIENCE)
      const page = await context.newPage()
      watch(page, server, options.expected || [], complaints)
      if (options.token) {
        await page.addInitScript(token => { sessionStorage.setItem('streamd-token', token) }, options.token)
      }
      await page.goto(`${server.url}/streaming/ui${hash}`)
      return page
    }
    try {
      await run(open)
    } finally {
      await Promise.all(contexts.map(context => context.close()))
    }
    assert.deepStrictEqual(complaints, [])
  }
}

// expected: regular expressions of console errors that belong to the scenario.
function watch (page, server, expected, complaints) {
  page.on('console', message => {
    const text = `${message.text()} (${message.location().url})`
    if (message.type() === 'error' && !expected.some(pattern => pattern.test(text))) {
      complaints.push(text)
    }
  })
  page.on('pageerror', error => complaints.push(error.stack))
  page.on('dialog', dialog => {
    complaints.push(`a script opened a dialog: ${dialog.message()}`)
    dialog.dismiss()
  })
  page.on('request', request => {
    const url = request.url()
    if (!url.startsWith(`${server.url}/`) && !/^(data|blob):/.test(url)) {
      complaints.push(`request to ${url}`)
    }
  })
}

const text = async locator => (await locator.innerText()).trim()

// Waits until the locator's text is, or matches, wanted.
function says (locator, wanted) {
  let last
  return until(async () => {
    last = await locator.count() > 0 ? await text(locator.first()) : null
    return last !== null && (wanted instanceof RegExp ? wanted.test(last) : last === wanted)
  }, `text ${wanted}`).catch(error => { throw new Error(`${error.message}; it is ${JSON.stringify(last)}`) })
}

async function getJson (server, path) {
  const response = await fetch(`${server.url}/streaming/${path}`, path.startsWith('admin/') ? { headers: { Authorization: `Bearer ${server.token}` } } : {})
  return response.status === 404 ? null : response.json()
}

module.exports = { Browser, until, says, text, getJson }
