/** What the command line asks for is not to be had: told in one line, without the program's stack. */
export class UsageError extends TypeError {}

/** Runs a program of the command line, which ends with the number that `work` gives, or with 2 when it was called wrongly. */
export const runCommand = async (usage: string, work: (args: string[]) => Promise<number>): Promise<void> => {
  const args = process.argv.slice(2)
  if (args.includes('--help')) return void process.stdout.write(usage)
  try {
    process.exitCode = await work(args)
  } catch (error) {
    const fault = faultIn(error)
    if (fault === undefined) throw error
    process.stderr.write(`${fault}\n(--help tells what there is)\n`)
    process.exitCode = 2
  }
}

/** How the program was called wrongly. `parseArgs` has errors of its own, which go on to say how options are written in general. */
const faultIn = (error: unknown): string | undefined => {
  if (error instanceof UsageError) return error.message
  const isOfParseArgs = error instanceof Error && String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS')
  return isOfParseArgs ? error.message.split(/\.\s/, 1)[0] : undefined
}

/** Of the option `--name`. Throws `UsageError`. */
export const positive = (name: string, text: string): number => {
  const number = Number(text)
  return number > 0 && Number.isFinite(number) ? number : refuse(`--${name}: expected a number over 0; got ${text}`)
}

/** Of the option `--name`. Throws `UsageError`. */
export const countFrom = (least: number, name: string, text: string): number => {
  const number = Number(text)
  return Number.isSafeInteger(number) && number >= least && text.trim() !== '' ? number : refuse(`--${name}: expected a whole number, ${least} or more; got ${text}`)
}

export const refuse: (message: string) => never = (message) => {
  throw new UsageError(message)
}
