// world.js - servers and clients, which test_page.py has: one request a line on
// stdout, one answer a line on stdin.
'use strict'

const readline = require('readline')

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const servers = new Map()

async function request (what, parameters) {
  process.stdout.write(JSON.stringify({ do: what, with: parameters }) + '\n')
  const answer = JSON.parse((await lines.next()).value)
  if (answer.error) {
    throw new Error(`${what}: ${answer.error}`)
  }
  return answer
}

// A server that all who name it share: {url, token, cluster}.
async function server (name, options = {}) {
  if (!servers.has(name)) {
    servers.set(name, await request('start', { name, ...options }))
  }
  return servers.get(name)
}

module.exports = {
  server,
  restart: name => request('start', { name }),
  stop: name => request('stop', { name }),
  connect: (server, client) => request('connect', { server, client }),
  close: client => request('close', { client }),
  publish: (client, channel, ...texts) => request('publish', { client, channel, texts }),
  publishBytes: (client, channel, octets) => request('publish_bytes', { client, channel, octets }),
  publishMany: (client, channels) => request('publish_many', { client, channels }),
  subscribe: (client, channel, name, options = {}) => request('subscribe', { client, channel, name, ...options }),
  received: async name => (await request('received', { name })).sequences
}
