import { writeFileSync } from 'node:fs'

/** Writes a file that is not there yet; one that is there stays as it is. Answers whether it wrote. */
export const writeNew = (path: string, text: string, mode?: number): boolean => {
  try {
    writeFileSync(path, text, { flag: 'wx', mode })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
