/** The part of a socket by which its writes are kept together. */
export interface Corkable {
  readonly writableCorked: number
  cork(): void
  uncork(): void
}

/** What is sent in one turn of the event loop leaves together: a system call for each command would take longer than all else about it. */
export const inOnePacket = (socket: Corkable | undefined): void => {
  if (socket === undefined || socket.writableCorked > 0) return
  socket.cork()
  setImmediate(() => socket.uncork())
}
