// A client as users write them, with node-nats-streaming:
// node stan_client.js URL CLUSTER. Publishes, subscribes in each kind, asks for
// a restart of the server ("restart" on stdout, then waits for a line on
// stdin), carries on, closes and resumes. Exits 0 if all was as it should be.
'use strict'

const assert = require('assert')
const { once } = require('events')
const stan = require('node-nats-streaming')

const PATIENCE = 30000 // ms
const CHANNEL = 'foo'
const [FIRST_RUN, SECOND_RUN, THIRD_RUN] = [10, 110, 120]

const [url, cluster] = process.argv.slice(2)

function fail (error) {
  console.error('stan_client.js:', error)
  process.exit(1)
}

async function connect () {
  const client = stan.connect(cluster, 'node-client', { url })
  client.on('error', fail)
  await once(client, 'connect')
  return client
}

async function close (client) {
  client.close()
  await once(client, 'close')
}

function publish (client, number) {
  return new Promise((resolve, reject) => client.publish(
    CHANNEL, String(number),
    (error, guid) => error ? reject(error) : resolve(guid)))
}

async function publishEach (client, first, last) {
  for (let number = first; number <= last; number++) {
    await publish(client, number)
  }
}

function publishAll (client, first, last) {
  const acks = []
  for (let number = first; number <= last; number++) {
    acks.push(publish(client, number))
  }
  return Promise.all(acks)
}

// One subscription and what has come to it. With manual it acks all but the
// last of the second run.
class Inbox {
  constructor (kind) {
    Object.assign(this, kind)
    this.highest = 0
    this.again = []
  }

  async subscribe (client) {
    const options = client.subscriptionOptions().setDeliverAllAvailable()
    options.setManualAckMode(Boolean(this.manual))
    if (this.durable) {
      options.setDurableName(this.durable)
    }
    this.subscription = client.subscribe(CHANNEL, this.group, options)
    this.subscription.on('error', fail)
    this.subscription.on('message', message => this.onMessage(message))
    await once(this.subscription, 'ready')
  }

  onMessage (message) {
    const sequence = message.getSequence()
    assert.strictEqual(message.getData(), String(sequence))
    if (message.isRedelivered()) {
      this.again.push(sequence)
    } else {
      assert.strictEqual(sequence, this.highest + 1, 'a gap, or out of order')
    }
    this.highest = Math.max(this.highest, sequence)
    if (this.manual && sequence !== SECOND_RUN) {
      message.ack()
    }
    if (this.arrived) {
      this.arrived()
    }
  }

  async wait (highest) {
    while (this.highest < highest) {
      await new Promise(resolve => { this.arrived = resolve })
    }
  }

  async end (verb, event) {
    this.subscription[verb]()
    await once(this.subscription, event)
  }
}

async function askForRestart () {
  console.log('restart')
  await once(process.stdin, 'data')
  process.stdin.pause()
}

// The durable and the durable group go on where they were; of the durable the
// one message that was never acked comes first.
async function resume (durable, durableGroup) {
  const client = await connect()
  await publish(client, THIRD_RUN + 1)
  for (const inbox of [durable, durableGroup]) {
    await inbox.subscribe(client)
    await inbox.wait(THIRD_RUN + 1)
    await inbox.end('unsubscribe', 'unsubscribed')
  }
  assert.strictEqual(durable.again.pop(), SECOND_RUN)
  await close(client)
}

async function main () {
  const client = await connect()
  await publishEach(client, 1, FIRST_RUN)
  await publishAll(client, FIRST_RUN + 1, SECOND_RUN)
  const [plain, group, durable, durableGroup] = [
    new Inbox({}),
    new Inbox({ group: 'group' }),
    new Inbox({ durable: 'durable', manual: true }),
    new Inbox({ durable: 'durable', group: 'group' })
  ]
  const inboxes = [plain, group, durable, durableGroup]
  for (const inbox of inboxes) {
    await inbox.subscribe(client)
    await inbox.wait(SECOND_RUN)
  }
  await askForRestart()
  await publishEach(client, SECOND_RUN + 1, THIRD_RUN)
  await Promise.all(inboxes.map(inbox => inbox.wait(THIRD_RUN)))
  await plain.end('unsubscribe', 'unsubscribed')
  await durableGroup.end('close', 'closed')
  await close(client)
  await resume(durable, durableGroup)
}

setTimeout(() => fail('took too long'), PATIENCE).unref()
main().then(() => process.exit(0), fail)
