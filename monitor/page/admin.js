// admin.js - the administration interface, as /streaming/admin/v1/openapi.json
// describes it. The token is kept for this tab only and sent to this server
// only.
import { request, ApiError } from './api.js'

const BASE = 'admin/v1'
const KEY = 'streamd-token'
const part = encodeURIComponent

let token = readToken()
const listeners = new Set()

function readToken () {
  try {
    return sessionStorage.getItem(KEY)
  } catch (error) {
    return null
  }
}

export function isOn () {
  return token !== null
}

// Calls listener when a token came or went; returns an off.
export function onChange (listener) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function setToken (text) {
  token = text
  try {
    if (text === null) {
      sessionStorage.removeItem(KEY)
    } else {
      sessionStorage.setItem(KEY, text)
    }
  } catch (error) { /* then it is kept as long as the page */ }
  listeners.forEach(listener => listener())
}

async function call (method, path, body) {
  const headers = { Authorization: `Bearer ${token}` }
  if (body !== undefined) {
    headers['Content-Type'] = 'application/json'
  }
  const response = await request(`${BASE}/${path}`, { method, headers, body: body && JSON.stringify(body) })
  return response.json()
}

// Whether this server has administration: its description is there for all.
export async function available () {
  try {
    await request(`${BASE}/openapi.json`)
    return true
  } catch (error) {
    if (error.status === 404) {
      return false
    }
    throw error
  }
}

// Takes the token if the server does; throws what it said otherwise. channel
// is to look up: one that is there, so that the answer is a yes; if there is
// none, 404 is one as well.
export async function tryToken (text, channel) {
  const before = token
  token = text
  try {
    await call('GET', `channels/${part(channel ?? 'any')}/subscriptions?limit=1`)
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) {
      token = before
      throw error
    }
  }
  setToken(text)
}

const channel = name => `channels/${part(name)}`
const sub = (name, id) => `${channel(name)}/subscriptions/${part(id)}`
const force = yes => yes ? '?force=1' : ''

export const messages = (name, where, limit) => call('GET', `${channel(name)}/messages?${new URLSearchParams({ ...where, limit })}`)
export const message = (name, sequence) => call('GET', `${channel(name)}/messages/${sequence}`)
export const publish = (name, body) => call('POST', `${channel(name)}/messages`, body)
export const purge = name => call('POST', `${channel(name)}/purge`)
export const deleteChannel = (name, forced) => call('DELETE', `${channel(name)}${force(forced)}`)
export const subscriptions = (name, offset, limit) => call('GET', `${channel(name)}/subscriptions?offset=${offset}&limit=${limit}`)
export const deleteSubscription = (name, id, forced) => call('DELETE', `${sub(name, id)}${force(forced)}`)
export const moveSubscription = (name, id, position) => call('POST', `${sub(name, id)}/position`, position)
export const deleteGroup = (name, group, forced) => call('DELETE', `${channel(name)}/queue_groups/${part(group)}${force(forced)}`)
export const moveGroup = (name, group, position) => call('POST', `${channel(name)}/queue_groups/${part(group)}/position`, position)
export const pending = (name, id, start, limit) => call('GET', `${sub(name, id)}/pending?start=${start}&limit=${limit}`)
export const release = (name, id, sequence) => call('POST', `${sub(name, id)}/pending/${sequence}/release`)
export const drop = (name, id, sequence) => call('POST', `${sub(name, id)}/pending/${sequence}/drop`)
export const closeClient = id => call('DELETE', `clients/${part(id)}`)
