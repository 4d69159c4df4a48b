// run.js - runs the scenarios, all or those named, and tells of each in a JSON
// line on stdout: {"scenario", "error"}. See test_page.py.
'use strict'

const { Browser } = require('./browser')

const SCENARIOS = {
  ...require('./views'),
  ...require('./admin'),
  ...require('./keys'),
  ...require('./looks'),
  ...require('./trouble'),
  ...require('./many')
}

function tell (scenario, error) {
  process.stdout.write(JSON.stringify({ scenario, error }) + '\n')
}

async function main (names) {
  const browser = await Browser.launch()
  for (const name of names.length > 0 ? names : Object.keys(SCENARIOS)) {
    const began = Date.now()
    try {
      await browser.scenario(SCENARIOS[name])
      tell(name, null)
    } catch (error) {
      console.error(error.stack)
      tell(name, error.stack)
    }
    console.error(`page: ${name}: ${Date.now() - began} ms`)
  }
  await browser.close()
}

main(process.argv.slice(2)).then(() => process.exit(0), error => {
  console.error(error)
  process.exit(1)
})
