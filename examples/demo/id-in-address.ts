import type { IncomingMessage } from 'node:http'

// shown
// The id comes in the address. Who has the address has the session.
export const idInAddress = (req: IncomingMessage): string | undefined => {
  const [, query] = (req.url ?? '').split('?')
  return new URLSearchParams(query).get('id') ?? undefined
}
// end
