/** @type {import('phial').AppFactory} */
export default ({ metals = '' }) => async (req, res) => {
  const metal = req.url.slice(1) // without the prefix: that is in req.scriptName
  if (!metals.split(' ').includes(metal)) {
    res.statusCode = 404
    res.end(`Ask about ${metals}: ${req.scriptName}/${metals.split(' ')[0]}\n`)
    return
  }
  await req.session.update('seen', (seen = []) => [...seen, metal].slice(-10))
  res.end(`The broker knows all about ${metal}.\n`)
}
