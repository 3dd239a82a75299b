import { statfsSync } from 'node:fs'
import { ConfigError } from '../../src/errors.js'
import { pooledDisk, type Disk } from './disk.js'
import { LocalDisk } from './local-disk.js'
import { Watch } from './watch.js'

/** The disk on which these directories are, by the option `disk`. */
export const whichDisk = (option: string, directories: readonly string[]): Disk => {
  switch (option) {
    case 'auto': return localDisk(whenKnown(() => areLocal(directories)))
    case 'local': return localDisk(() => true)
    case 'remote': return pooledDisk
    default: throw new ConfigError(`session.file.disk: expected auto, local or remote; got ${option}`, { setting: 'session.file.disk' })
  }
}

const localDisk = (isLocal: () => boolean): Disk => new LocalDisk(isLocal, { reading: new Watch(), changing: new Watch() })

/** Asks until there is an answer; until then it is no. */
const whenKnown = (ask: () => boolean | undefined): (() => boolean) => {
  let known: boolean | undefined
  return () => (known ??= ask()) ?? false
}

/**
 * Whether all are on file systems that are known to keep their files on this machine. A call on one that waits for a network may hang, and
 * would hang the process. Not known as long as one is missing: it may yet be mounted.
 */
const areLocal = (directories: readonly string[]): boolean | undefined => {
  if (process.platform !== 'linux') return false
  try {
    return directories.every(directory => localTypes.has(statfsSync(directory).type >>> 0))
  } catch {
    return undefined
  }
}

/** `f_type` of statfs(2), which lists them with linux/magic.h; that of ZFS is OpenZFS's. */
const localTypes: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0xf2f52010, // F2FS
  0xca451a4e, // bcachefs
  0x2fc12fc1, // ZFS
  0x794c7630, // overlayfs, as containers have it
  0x01021994, // tmpfs
  0x858458f6 // ramfs
])
