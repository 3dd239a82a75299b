import { crc32 } from 'node:zlib'

/** Of both, one after the other: CRC-32, as 8 hexadecimal digits. It tells accidents; a forger reckons it anew. */
export const checksum = (head: string, body: string | Buffer): string => crc32(body, crc32(head)).toString(16).padStart(8, '0')
