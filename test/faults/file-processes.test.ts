import test from 'ava'
import { clientOf } from '../support/app.js'
import { at, startApp } from '../support/app-process.js'
import { temporaryDirectory } from '../support/every-backend.js'

test('a session outlives its process, killed at any moment while saving: never unreadable, nothing acknowledged lost', async (t) => {
  t.timeout(300_000)
  const rounds = Number(process.env['PHIAL_KILLS'] ?? 12)
  const settings = { type: 'file', dataDir: temporaryDirectory(t) }
  let running = await startApp(t, settings)
  const browser = clientOf(running.url)
  await browser.get('/set/first')
  let acknowledged = 0
  for (let round = 0; round < rounds; round++) {
    let isDying = false
    const writers = Array.from({ length: 4 }, async () => {
      while (!isDying) {
        const answer = await at(running, browser).text('/add').catch(() => undefined)
        if (answer !== undefined) acknowledged = Math.max(acknowledged, JSON.parse(answer).n)
      }
    })
    const saves = acknowledged + 1 + Math.floor(Math.random() * 20)
    while (acknowledged < saves) await new Promise((resolve) => setTimeout(resolve, 1))
    const killed = running.kill('SIGKILL')
    isDying = true
    await Promise.all([killed, ...writers])
    running = await startApp(t, settings)
    const data = JSON.parse(await at(running, browser).text('/'))
    t.is(data.first, 1)
    t.true(data.n >= acknowledged, `${data.n} of ${acknowledged}`)
    t.is((await at(running, browser).get('/add')).status, 200)
    acknowledged = data.n + 1
  }
})
