// Counts the listeners of the process before the library is imported, after that, and after it was used.
const count = (): Record<string, number> => {
  const signals = [
    'SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGPIPE', 'SIGALRM', 'SIGXCPU', 'SIGVTALRM', 'SIGTRAP', 'SIGSYS',
    'SIGABRT', 'SIGIO',
  ]
  const events = [
    'exit', 'beforeExit', 'uncaughtException', 'uncaughtExceptionMonitor', 'unhandledRejection', 'rejectionHandled', 'warning',
    'multipleResolves', 'message', 'disconnect', 'worker',
  ]
  const names = new Set([...signals, ...events, ...process.eventNames().map(String)])
  return Object.fromEntries([...names].map((name) => [name, process.listenerCount(name)]).filter(([, listeners]) => listeners !== 0))
}

const before = count()
const { createManager } = await import('../../src/index.js')
const imported = count()

for (const settings of JSON.parse(process.argv[2]!)) {
  const manager = createManager({ secret: 'W9v-3kqT_0zYb7Lr5nXc2mPd8sHf6gJa', secure: false, ...settings })
  await manager.open({ headers: {} }, undefined).load()
  if (settings.type === 'cookie') continue
  const session = await manager.create()
  await session.set('a', 1).save()
  await (await session.lock()).release()
  await session.regenerateId()
  await manager.purgeExpired()
  await session.lock({ lease: 30 })
}

console.log(JSON.stringify({ before, imported, used: count() }))
process.exit(0)
