import test from 'ava'
import { clientOf } from '../support/app.js'
import type { Client } from '../support/app.js'
import { freshFolder, startSite, submit, submitAndFollow, wordsOf } from '../support/demo-site.js'

const cleanups: (() => unknown)[] = []
const suite = { teardown: (fn: () => unknown) => void cleanups.unshift(fn) }
let url: string

test.before(async () => {
  ({ url } = await startSite(suite, freshFolder(suite)))
})

test.after.always(async () => {
  for (const cleanup of cleanups) await cleanup()
})

const browser = (): Client => clientOf(url)
const read = async (client: Client, path: string): Promise<string> => wordsOf(await client.text(path))
const send = async (client: Client, path: string, fields?: Record<string, string>): Promise<string> => wordsOf(await submitAndFollow(client, path, fields))

test('a flash is there after the redirect, once, with its level', async (t) => {
  const client = browser()
  t.regex(await read(client, '/flash'), /No flash is waiting/)
  t.regex(await submitAndFollow(client, '/flash/save', { level: 'error' }), /<p class="notice error" role="alert">That did not work/)
  t.regex(await read(client, '/flash'), /No flash is waiting/)
  t.regex(await submitAndFollow(client, '/flash/save', { level: 'success' }), /<p class="notice success" role="status">Saved/)
})

test('two flashes that wait are both read', async (t) => {
  const client = browser()
  for (const level of ['success', 'error']) await submit(client, '/flash/save', { level })
  t.regex(await read(client, '/flash'), /^Flash Saved.* That did not work/)
})

test('a flash read on a page that fails is still there on the next', async (t) => {
  const client = browser()
  const answer = await submit(client, '/flash/save-and-break', { level: 'success' })
  t.is(answer.headers.get('location'), '/flash/broken')
  for (let times = 0; times < 2; times++) t.is((await client.get('/flash/broken')).status, 500)
  t.regex(await read(client, '/flash'), /^Flash Saved/)
  t.regex(await read(client, '/flash'), /No flash is waiting/)
})

test('a flash that a page read and kept is on the next one too, and then gone', async (t) => {
  const client = browser()
  const answer = await submit(client, '/flash/save-and-keep', { level: 'success' })
  t.is(answer.headers.get('location'), '/flash/kept')
  for (let times = 0; times < 2; times++) t.regex(await read(client, '/flash/kept'), /^Flash Saved.* Read here, and kept\./)
  t.regex(await read(client, '/flash'), /^Flash Saved/)
  t.regex(await read(client, '/flash'), /No flash is waiting/)
})

test('a flash for now is on the page of its own request, after those that waited, and on no other', async (t) => {
  const client = browser()
  await submit(client, '/flash/save', { level: 'success' })
  t.regex(await read(client, '/flash/now'), /^Flash Saved.* For this page alone\./)
  t.regex(await read(client, '/flash/now'), /^Flash For this page alone\./)
  t.regex(await read(client, '/flash'), /^Flash No flash is waiting/)
})

test('a flash with a key waits for the page that asks for that list', async (t) => {
  const client = browser()
  t.regex(await send(client, '/flash/whisper'), /^Flash No flash is waiting/)
  t.regex(await read(client, '/flash/aside'), /^Flash Between you and me\./)
  t.regex(await read(client, '/flash/aside'), /^Flash Nothing was said aside\./)
})

test('messages: an error stands on the same page, a success on the next, and each once', async (t) => {
  const client = browser()
  const refused = await submit(client, '/letters/send', { letter: ' ' })
  t.is(refused.status, 422)
  t.regex(wordsOf(await refused.text()), /^Messages Error\. A letter without words is not sent\. .*Letters are not kept here\./)
  t.notRegex(await read(client, '/letters'), /Error/)
  const sent = await submitAndFollow(client, '/letters/send', { letter: 'Dear all' })
  t.regex(sent, /<p class="notice success" role="status"><b>Sent\.<\/b> It has 8 characters\.<\/p>/)
  t.regex(sent, /<p class="notice info" role="status">Letters are not kept here\.<\/p>/)
  t.notRegex(await read(client, '/letters'), /Sent/)
})

test('notifications wait while others look, and are read once', async (t) => {
  const client = browser()
  t.regex(await read(client, '/tea'), /Waiting: nothing\./)
  for (const thing of ['tea', 'cat', 'tea']) await submit(client, '/tea/tell', { thing })
  for (let times = 0; times < 2; times++) t.regex(await read(client, '/tea'), /Waiting: tea, cat\. Read them/)
  t.regex(await read(client, '/tea/read'), /The tea is ready: .* The cat wants in: .* That was all\./)
  t.regex(await read(client, '/tea/read'), /^Notifications That was all\./)
  t.regex(await read(client, '/tea'), /Waiting: nothing\./)
  t.is((await submit(client, '/tea/tell', { thing: '__proto__' })).status, 400)
})

test('the language is what the browser asks for, until the visitor chooses one', async (t) => {
  const client = browser()
  const asked = await client.text('/language', { headers: { 'Accept-Language': 'xx, fr-CH;q=0.9, en' } })
  t.regex(asked, /<div lang="fr"><p class="lead">Bonjour !/)
  t.regex(await client.text('/language', { headers: { 'Accept-Language': '__proto__, *' } }), /<div lang="en">.*Good day!/)
  t.regex(await send(client, '/language/choose', { lang: 'de' }), /Guten Tag! Heute ist \p{L}+, \d+\. \p{L}+ \d{4}/u)
  t.regex(await client.text('/language', { headers: { 'Accept-Language': 'fr' } }), /<div lang="de">/)
  t.is((await submit(client, '/language/choose', { lang: 'la' })).status, 400)
})

test('a letter with the token of its session is sent; all tokens of a session are good, in whatever tab', async (t) => {
  const client = browser()
  await client.get('/counter')
  const tabs = await Promise.all([client.text('/guarded'), client.text('/guarded')])
  const [one, other] = tabs.map((page) => /name="csrf_token" value="([^"]+)"/.exec(page)![1]!) as [string, string]
  t.not(one, other)
  for (const csrf_token of [other, one, one]) await client.get('/guarded/send', { method: 'POST', body: new URLSearchParams({ csrf_token }) })
  t.regex(await read(client, '/guarded'), /^Forged forms 3 Letters sent so far\./)
})

test('a forged letter is refused with a page, and a token from before a log-in too', async (t) => {
  const client = browser()
  const [, token] = /name="csrf_token" value="([^"]+)"/.exec(await client.text('/guarded'))!
  await submit(client, '/login/in', { name: 'Ada' })
  const post = async (fields: Record<string, string>): Promise<[number, string]> => {
    const answer = await client.get('/guarded/send', { method: 'POST', body: new URLSearchParams(fields) })
    return [answer.status, wordsOf(await answer.text())]
  }
  t.deepEqual(await post({}), [403, 'Forbidden The request brought no token. Back'])
  t.deepEqual(await post({ csrf_token: token! }), [403, 'Forbidden The form expired: its token is not of this session. Back'])
  t.regex(await read(client, '/guarded'), /^Forged forms 0 Letters sent so far\./)
})

test('two applications under one session: the kitchen has what the garden picked', async (t) => {
  const client = browser()
  t.regex(await read(client, '/kitchen'), /You asked for \/kitchen \. This application was told \/ , and that it is below \/kitchen \. There is nothing to brew/)
  const picked = await submit(client, '/garden/pick', { herb: 'Mint' })
  t.is(picked.headers.get('location'), '/garden/')
  t.regex(await send(client, '/garden/pick', { herb: 'Sage' }), /In your basket: Mint, Sage\./)
  t.regex(await read(client, '/kitchen/'), /On the table: Mint, Sage\./)
  t.regex(await send(client, '/kitchen/brew'), /^Kitchen A tea of Mint and Sage\. .* There is nothing to brew/)
  t.regex(await read(client, '/garden'), /In your basket: nothing\./)
  t.is((await submit(client, '/garden/pick', { herb: 'Stone' })).status, 400)
  t.is((await submit(client, '/kitchen/brew')).status, 303)
})

/** What stands in the three fields. */
const notesOf = (page: string): string[] => [...page.matchAll(/name="note\d" value="([^"]*)"/g)].map(([, note]) => note!)

test('several sessions: each keeps its own note, in a cookie and on a backend of its own', async (t) => {
  const client = browser()
  t.deepEqual(notesOf(await submitAndFollow(client, '/named/save', { note0: 'a', note1: 'b', note2: 'c' })), ['a', 'b', 'c'])
  const names = (await client.cookies()).split('; ').map((pair) => pair.split('=')[0]!)
  t.deepEqual(names.filter((name) => !name.includes('-')).sort(), ['phial', 'phial.desk', 'phial.pocket'])
  await submit(client, '/login/out')
  t.deepEqual(notesOf(await client.text('/named')), ['', 'b', 'c'])
  await submit(client, '/named/save', { note0: 'd', note1: 'b', note2: 'c' })
  t.deepEqual(notesOf(await submitAndFollow(client, '/named/clear')), ['d', '', ''])
})

test('several sessions: nothing begins for a note that is empty', async (t) => {
  const client = browser()
  await submit(client, '/named/save', { note0: '', note1: '', note2: 'c' })
  const names = (await client.cookies()).split('; ').map((pair) => pair.split('=')[0]!)
  t.deepEqual(names.filter((name) => !name.includes('-')).sort(), ['phial', 'phial.pocket'])
})

test('after a restart the shelf and the pocket have their notes, and the desk is empty', async (t) => {
  const cwd = freshFolder(t)
  const { program, url } = await startSite(t, cwd)
  const before = clientOf(url)
  await submit(before, '/named/save', { note0: 'a', note1: 'b', note2: 'c' })
  await program.stop('SIGTERM')
  const after = clientOf((await startSite(t, cwd)).url, before.jar)
  t.deepEqual(notesOf(await after.text('/named')), ['a', '', 'c'])
})

test('cookies of the application: plain, JSON and signed; a forged one is not believed', async (t) => {
  const client = browser()
  t.regex(await read(client, '/cookies'), /colour none size none ticket none/)
  t.regex(await send(client, '/cookies/give'), /colour &#34;green&#34; as it came: green size/)
  const set = (await submit(client, '/cookies/give')).headers.getSetCookie()
  t.is(set.length, 3)
  t.true(set.some((line) => line.startsWith('colour=green; Max-Age=3600; ')), set.join('\n'))
  for (const line of set) t.regex(line, /; HttpOnly; SameSite=Lax$/)
  t.regex(await read(client, '/cookies'), /ticket \{&#34;seat&#34;:7\}/)
  t.regex(await send(client, '/cookies/forge'), /size \{&#34;width&#34;:3,&#34;height&#34;:4\} .* ticket not believed/)
  t.regex(await send(client, '/cookies/delete'), /colour none size none ticket none/)
  t.regex(await send(client, '/cookies/forge'), /ticket none/)
})

const linkIn = (page: string): string => /<a href="(\/visits\/\?id=[\w-]{43})">/.exec(page)![1]!

test('without cookies the id is in the address: counted, and nobody without it', async (t) => {
  const first = await fetch(`${url}/visits/`)
  t.is(first.headers.get('set-cookie'), null)
  const link = linkIn(await first.text())
  t.regex(wordsOf(await (await fetch(url + link)).text()), /^Without cookies 2 visits in this session/)
  t.is(linkIn(await (await fetch(url + link)).text()), link)
  t.regex(wordsOf(await (await fetch(`${url}/visits/`)).text()), /^Without cookies 1 visit in this session/)
  for (const id of ['nonsense', 'A'.repeat(43)]) {
    const page = await (await fetch(`${url}/visits/?id=${id}`)).text()
    t.regex(wordsOf(page), /^Without cookies 1 visit/)
    t.false(linkIn(page).endsWith(id))
  }
})

test('without cookies: the session of an address is ended by its own form alone', async (t) => {
  const page = await (await fetch(`${url}/visits/`)).text()
  const [, action, token] = /<form action="([^"]+)" method="post"><input[^>]* value="([^"]+)"/.exec(page)!
  const end = (csrf_token: string): Promise<Response> =>
    fetch(url + action!, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ csrf_token }) })
  t.is((await end('')).status, 403)
  const ended = await end(token!)
  t.deepEqual([ended.status, ended.headers.get('location')], [303, '/visits/'])
  t.regex(wordsOf(await (await fetch(url + linkIn(page))).text()), /^Without cookies 1 visit/)
})
