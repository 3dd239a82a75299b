import type { BenchOptions } from '../options.js'
import type { Progress } from '../run/rounds.js'

/** Tells on stderr what is measured, a line a server, with the rates as they come. */
export const progressLines = ({ contestants, scenarios, rounds, seconds, warmUpSeconds }: BenchOptions): Progress => {
  const say = (text: string): void => void process.stderr.write(text)
  const minutes = (rounds * contestants.length * (scenarios.length + 1) * (seconds + warmUpSeconds + 0.3)) / 60
  say(`${many(contestants.length, 'server')}, ${many(scenarios.length, 'scenario')}, ${many(rounds, 'round')} of ${seconds} s: ${many(Math.ceil(minutes), 'minute')} or more\n`)
  return {
    begins: ({ name }, round) => say(`round ${round}/${rounds}  ${name.padEnd(36)}`),
    measured: ({ letter, perSecond }) => say(` ${letter} ${String(Math.round(perSecond)).padStart(6)}/s`),
    ended: ({ bare, disturbance, failure }) => say(`  bare ${Math.round(bare[1].perSecond)}/s${failure ? `  failed: ${failure}` : ''}${disturbance ? `  disturbed: ${disturbance}` : ''}\n`),
  }
}

const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`
