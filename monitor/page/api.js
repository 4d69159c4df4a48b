// api.js - requests to the server that served the page, and their errors in
// words.

const PATIENCE = 10000 // ms

export class ApiError extends Error {
  constructor (message, status = 0) {
    super(message)
    this.status = status // 0: no answer at all
  }
}

// What the server said went wrong: its JSON's error, or its text.
async function reason (response) {
  const text = (await response.text().catch(() => '')).trim()
  try {
    const said = JSON.parse(text)
    return said.error?.message || said.error || said.message || text
  } catch (error) {
    return text
  }
}

async function words (response) {
  const said = await reason(response)
  if (response.status === 401) {
    return `The server refused the token${said ? `: ${said}` : ''}.`
  }
  return said || `The server answered ${response.status} ${response.statusText}.`
}

// The response; an ApiError if there is none or it is no success.
export async function request (path, options = {}) {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), PATIENCE)
  let response
  try {
    response = await fetch(path, { cache: 'no-store', ...options, signal: stop.signal })
  } catch (error) {
    throw new ApiError(stop.signal.aborted
      ? `The server did not answer within ${PATIENCE / 1000} s.`
      : 'The server cannot be reached.')
  } finally {
    clearTimeout(timer)
  }
  if (!response.ok) {
    throw new ApiError(await words(response), response.status)
  }
  return response
}

async function json (path) {
  const response = await request(path)
  try {
    return await response.json()
  } catch (error) {
    throw new ApiError('The server sent something that is no JSON.')
  }
}

const name = encodeURIComponent

export const server = () => json('serverz')
export const store = () => json('storez')
export const channels = (offset, limit) => json(`channelsz?subs=1&offset=${offset}&limit=${limit}`)
export const channel = channel => json(`channelsz?subs=1&channel=${name(channel)}`)
export const clients = (offset, limit) => json(`clientsz?offset=${offset}&limit=${limit}`)
export const client = client => json(`clientsz?subs=1&client=${name(client)}`)
export const metrics = async () => (await request('../metrics?max_channels=0')).text()
