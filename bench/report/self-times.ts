/** What V8 writes with `--cpu-prof`, as far as it is read here. */
interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number } }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

export interface SelfTime {
  readonly place: string
  readonly micros: number
  /** Of all the time in which it was not idle. */
  readonly part: number
}

/** The functions of a profile by the time that was spent in themselves, the most costly first. */
export const selfTimes = (json: string): SelfTime[] => {
  const { nodes, samples, timeDeltas } = JSON.parse(json) as CpuProfile
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]))
  const times = new Map<string, number>()
  for (const [index, id] of samples.entries()) {
    const place = places.get(id)!
    times.set(place, (times.get(place) ?? 0) + timeDeltas[index]!)
  }
  times.delete('(idle)')
  const total = [...times.values()].reduce((sum, micros) => sum + micros, 0)
  return Array.from(times, ([place, micros]) => ({ place, micros, part: micros / total })).toSorted((a, b) => b.micros - a.micros)
}

const placeOf = ({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string =>
  [functionName || '(anonymous)', ...(url === '' ? [] : [`${url.replace(/^.*\/(?=node_modules\/|dist\/|bench\/peers\/)/, '')}:${lineNumber + 1}`])].join('  ')
