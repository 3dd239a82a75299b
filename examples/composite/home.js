/** @type {(req: import('phial').SessionRequest, res: import('node:http').ServerResponse) => Promise<void>} */
export default async (req, res) => {
  const seen = await req.session.get('seen', [])
  res.end(`You asked the broker about: ${seen.join(', ') || 'nothing'}\n`)
}
