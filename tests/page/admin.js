// admin.js - what an administrator does on the page, and what the server made
// of it.
'use strict'

const assert = require('assert')
const fs = require('fs')
const world = require('./world')
const { getJson, says, until, text } = require('./browser')
const { figure, row } = require('./shop')

const REFUSED = [/status of 401/, /status of 409/]

let number = 0

// A channel of its own, with count messages, on the shared server.
async function channel (count = 5) {
  const server = await world.server('admin')
  const name = `admin.${++number}`
  const client = `client-${number}`
  await world.connect('admin', client)
  await world.publish(client, name, ...Array.from({ length: count }, (_, i) => `message ${i + 1}`))
  return { server, name, client, state: () => getJson(server, `channelsz?subs=1&channel=${name}`) }
}

const hash = name => `#/channels/${encodeURIComponent(name)}`
const button = (page, name) => page.getByRole('button', { name, exact: true })

// Opens the dialog of a button, fills in, and confirms; the server's answer.
async function act (page, opener, { word, fill = async () => {}, confirm }) {
  await opener.click()
  const dialog = page.getByRole('dialog').last()
  await fill(dialog)
  const go = dialog.getByRole('button', { name: confirm, exact: true })
  if (word !== undefined) {
    assert.ok(await go.isDisabled(), 'not before the name is typed')
    await dialog.getByLabel(`Type ${word} to confirm`).fill(word.slice(0, -1))
    assert.ok(await go.isDisabled(), 'not by half the name')
    await dialog.getByLabel(`Type ${word} to confirm`).fill(word)
  }
  await go.click()
  await dialog.locator('.done').waitFor()
  const answer = JSON.parse(await dialog.locator('pre.answer').innerText())
  await button(dialog, 'Close').click()
  return answer
}

module.exports = {
  async 'without administration the page says so, and how to turn it on' (open) {
    const server = await world.server('plain', { admin: false })
    await world.connect('plain', 'someone')
    await world.publish('someone', 'foo', 'x')
    const page = await open(server, '#/channels/foo', { expected: [/404.*openapi/] })
    await says(page.locator('main'), /Messages are for administrators/)
    assert.strictEqual(await page.locator('[data-action]:visible').count(), 0)
    await button(page, 'Enter the token').click()
    const dialog = page.getByRole('dialog', { name: 'Administration is off' })
    await says(dialog, /-admin_token_file/)
  },

  async 'a token is tried, kept in this tab, sent to the administration alone, and forgotten' (open) {
    const { server, name } = await channel()
    const page = await open(server, hash(name), { expected: REFUSED })
    const requests = []
    page.on('request', request => requests.push(request))
    await page.keyboard.press('a')
    const dialog = page.getByRole('dialog', { name: 'Administer' })
    await dialog.getByLabel('Token').fill('wrong-token-wrong-token-wrong-token')
    await button(dialog, 'Use the token').click()
    await says(dialog.getByRole('alert'), /^The server refused the token/)
    await until(async () => { // after a wrong one the server may want a pause
      await dialog.getByLabel('Token').fill(server.token)
      await button(dialog, 'Use the token').click()
      return dialog.waitFor({ state: 'detached', timeout: 1500 }).then(() => true, () => false)
    }, 'the token is taken')
    await says(page.locator('#admin'), 'Administrator')
    await page.locator('.payload').waitFor()
    assert.deepStrictEqual(await page.evaluate(() => [sessionStorage.getItem('streamd-token'), JSON.stringify(localStorage).includes('page-test'), document.cookie]), [server.token, false, ''])
    for (const request of requests) {
      const sent = (await request.allHeaders()).authorization
      assert.ok(!request.url().includes(server.token))
      assert.strictEqual(sent !== undefined, request.url().includes('/admin/v1/') && !request.url().endsWith('openapi.json'), request.url())
    }
    await page.reload()
    await page.locator('.payload').waitFor()
    await page.keyboard.press('a')
    await button(page, 'Forget the token').click()
    await says(page.locator('main'), /Messages are for administrators/)
    assert.strictEqual(await page.evaluate(() => sessionStorage.getItem('streamd-token')), null)
  },

  async 'a token that is no longer good is dropped in words' (open) {
    const { server, name } = await channel()
    const page = await open(server, hash(name), { token: 'outdated-outdated-outdated-outdated', expected: [...REFUSED, /status of 429/] })
    await says(page.locator('#toasts'), /The server refused the token|wrong tokens/)
    await says(page.locator('#admin'), 'Administer')
  },

  async 'publish a text and bytes' (open) {
    const { server, name, state } = await channel(1)
    const page = await open(server, hash(name), { token: server.token })
    const said = await act(page, button(page, 'Publish'), {
      fill: async dialog => dialog.getByLabel('Message').fill('{"ä": [1, 9007199254740993]}'),
      confirm: 'Publish'
    })
    assert.deepStrictEqual([said.channel, said.sequence], [name, 2])
    const bytes = await act(page, button(page, 'Publish'), {
      async fill (dialog) {
        await dialog.getByLabel('Message').fill('AAEC /w==')
        await dialog.getByLabel(/^Base64/).check()
      },
      confirm: 'Publish'
    })
    assert.strictEqual(bytes.sequence, 3)
    assert.strictEqual((await state()).last_seq, 3)
    const stored = (await getJson(server, `admin/v1/channels/${name}/messages?start=2`)).messages.map(message => message.data)
    assert.deepStrictEqual(stored, [Buffer.from('{"ä": [1, 9007199254740993]}').toString('base64'), 'AAEC/w=='])
  },

  async 'messages as text, JSON and hex, copied and downloaded' (open) {
    const { server, name, client } = await channel(3)
    await world.publish(client, name, '{"id": 9007199254740993, "deep": {"a": {"b": {"c": {"d": 1}}}}}')
    await world.publishBytes(client, name, Array.from({ length: 256 }, (_, i) => i))
    await world.publish(client, name, '')
    const page = await open(server, hash(name), { token: server.token, permissions: ['clipboard-read', 'clipboard-write'] })
    const item = sequence => page.locator('.message', { has: page.locator(`b:text-is("${sequence}")`) })
    await item(6).waitFor()
    await says(page.locator('.payload'), 'Empty')
    await item(2).click()
    await says(page.locator('.payload'), 'message 2')
    await item(4).click()
    await says(page.locator('.payload'), /"id": 9007199254740993/)
    const closed = page.locator('.payload details:not([open]) > summary').first()
    await closed.click()
    await says(page.locator('.payload'), /"c": \{/)
    await closed.click()
    await says(page.locator('.payload'), /"d": 1/)
    await page.locator('.payload summary').first().click()
    await until(async () => !(await text(page.locator('.payload'))).includes('"id"'), 'folded')
    await button(page, 'Text').click()
    await says(page.locator('.payload'), /^\{"id": 9007/)
    await button(page, 'Copy').click()
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^\{"id": 9007199254740993/)
    await button(page, 'Hex').click()
    await says(page.locator('.payload'), /^00000000 {2}7b 22 69 64/)
    await item(5).click()
    await says(page.locator('.payload'), /000000f0 {2}f0 f1 [\s\S]*\|\.{16}\|$/)
    const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Download').click()])
    const saved = fs.readFileSync(await download.path())
    assert.deepStrictEqual([...saved], Array.from({ length: 256 }, (_, i) => i))
    await item(5).press('ArrowUp')
    await says(page.locator('h3'), 'Message 4')
  },

  async 'through many messages, to a sequence and a time, and with the stream' (open) {
    const { server, name, client } = await channel(130)
    const page = await open(server, hash(name), { token: server.token })
    const range = page.locator('.bar .count').last()
    await says(range, '81–130 of 1–130')
    await button(page, 'Earlier messages').click()
    await says(range, '31–80 of 1–130')
    await button(page, 'First messages').click()
    await says(range, '1–50 of 1–130')
    await button(page, 'Later messages').click()
    await says(range, '51–100 of 1–130')
    const goto = page.getByLabel('Sequence or time to go to')
    await goto.fill('120')
    await goto.press('Enter')
    await says(range, '120–130 of 1–130')
    await goto.fill('2000-01-01 00:00')
    await goto.press('Enter')
    await says(range, '1–50 of 1–130')
    await goto.fill('no time')
    await goto.press('Enter')
    await says(page.getByRole('alert').filter({ visible: true }), /^Enter a sequence/)
    await page.getByLabel('Follow').check()
    await world.publish(client, name, 'fresh from the press')
    await says(range, '82–131 of 1–131')
    await says(page.locator('.payload'), 'fresh from the press')
  },

  async 'purge, by name' (open) {
    const { server, name, state } = await channel(5)
    const page = await open(server, hash(name), { token: server.token })
    await says(figure(page, 'Stored'), '5')
    const said = await act(page, button(page, 'Purge'), { word: name, confirm: 'Purge' })
    assert.deepStrictEqual([said.channel, said.purged_msgs, said.last_seq], [name, 5, 5])
    const left = await state()
    assert.deepStrictEqual([left.msgs, left.last_seq], [0, 5])
    await says(figure(page, 'Stored'), '0')
    await says(page.locator('.empty:visible', { hasText: 'No message' }), /No message stored/)
  },

  async 'delete a channel: refused while it is read, unless its subscriptions are ended' (open) {
    const { server, name, client, state } = await channel(5)
    await world.subscribe(client, name, name)
    const page = await open(server, hash(name), { token: server.token, expected: [...REFUSED, /status of 404/] })
    await until(async () => await row(page, client).count() === 1, 'the subscription')
    await button(page, 'Delete').first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel(`Type ${name} to confirm`).fill(name)
    await button(dialog, 'Delete the channel').click()
    await says(dialog.getByRole('alert'), /./)
    assert.strictEqual((await state()).msgs, 5)
    await dialog.getByLabel('End its subscriptions, too').check()
    await button(dialog, 'Delete the channel').click()
    await says(dialog.locator('.done'), /^Done/)
    const said = JSON.parse(await dialog.locator('pre.answer').innerText())
    assert.deepStrictEqual([said.deleted_msgs, said.ended_subscriptions], [5, 1])
    await button(dialog, 'Close').click()
    assert.strictEqual(await state(), null)
    await says(page.locator('.notice:visible'), /does not exist/)
  },

  async 'move a durable back, and delete it' (open) {
    const { server, name, client, state } = await channel(9)
    await world.subscribe(client, name, name, { durable: 'book' })
    const page = await open(server, hash(name), { token: server.token })
    await until(async () => (await world.received(name)).length === 9, 'all nine')
    const moved = await act(page, row(page, 'book').getByRole('button', { name: 'Move' }), {
      async fill (dialog) {
        await dialog.getByLabel('To the sequence').check()
        await dialog.getByLabel('Sequence', { exact: true }).fill('4')
      },
      confirm: 'Move'
    })
    assert.deepStrictEqual([moved.previous_last_sent, moved.next_seq], [9, 4])
    await until(async () => (await world.received(name)).length === 15, 'six once more')
    assert.deepStrictEqual((await world.received(name)).slice(9), [4, 5, 6, 7, 8, 9])
    await act(page, row(page, 'book').getByRole('button', { name: 'Move' }), { fill: dialog => dialog.getByLabel('To the first message stored').check(), confirm: 'Move' })
    await until(async () => (await world.received(name)).length === 24, 'all once more')
    await world.close(client)
    await says(row(page, 'book').locator('.pill'), 'offline')
    const said = await act(page, row(page, 'book').getByRole('button', { name: 'Delete' }), { word: name, confirm: 'Delete' })
    assert.deepStrictEqual([said.durable_name, said.was_offline], ['book', true])
    assert.strictEqual((await state()).subs_count, 0)
    await says(page.locator('.empty:visible', { hasText: 'No subscription' }), /No subscription/)
  },

  async 'delete a queue group' (open) {
    const { server, name, client, state } = await channel(2)
    await world.subscribe(client, name, `${name}-1`, { group: 'team', durable: 'd' })
    await world.subscribe(client, name, `${name}-2`, { group: 'team', durable: 'd' })
    const page = await open(server, hash(name), { token: server.token })
    await until(async () => await row(page, 'd:team').count() === 2, 'both members')
    const said = await act(page, row(page, 'd:team').first().getByRole('button', { name: 'Delete group' }), {
      word: name, fill: dialog => dialog.getByLabel(/It has members online/).check(), confirm: 'Delete the group'
    })
    assert.deepStrictEqual([said.queue_name, said.members], ['d:team', 2])
    assert.strictEqual((await state()).subs_count, 0)
  },

  async 'list what is pending; release one, drop one' (open) {
    const { server, name, client, state } = await channel(3)
    await world.subscribe(client, name, name, { manual: true, ack_wait: 3600 })
    const page = await open(server, hash(name), { token: server.token })
    await until(async () => (await world.received(name)).length === 3, 'all three')
    await row(page, client).getByRole('button', { name: 'Pending' }).click()
    const list = page.getByRole('dialog', { name: `Pending for ${client}` })
    await says(list.getByRole('status'), /^3 messages/)
    await says(list.locator('li').first(), /^1\s[\s\S]*sent 1 time, again in/)
    const released = await act(page, list.locator('li').nth(1).getByRole('button', { name: 'Release' }), { confirm: 'Release' })
    assert.strictEqual(released.sequence, 2)
    await until(async () => (await world.received(name)).join() === '1,2,3,2', 'it comes again')
    const dropped = await act(page, list.locator('li').first().getByRole('button', { name: 'Drop' }), { confirm: 'Drop' })
    assert.deepStrictEqual([dropped.sequence, dropped.pending_count], [1, 2])
    await says(list.getByRole('status'), /^2 messages/)
    assert.strictEqual((await state()).subscriptions[0].pending_count, 2)
    await page.keyboard.press('Escape')
    await list.waitFor({ state: 'detached' })
  },

  async 'close a client' (open) {
    const { server, name, client } = await channel(1)
    await world.subscribe(client, name, name, { durable: 'stays' })
    const page = await open(server, `#/clients/${client}`, { token: server.token, expected: [/status of 404/] })
    await until(async () => await row(page, 'stays').count() === 1, 'its durable')
    const said = await act(page, button(page, 'Close client'), { word: client, confirm: 'Close the client' })
    assert.deepStrictEqual([said.client_id, said.offline_durables], [client, 1])
    await says(page.locator('.notice:visible'), /not connected/)
    assert.strictEqual(await getJson(server, `clientsz?client=${client}`), null)
  }
}
