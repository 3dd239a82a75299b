// Values of a class of one's own: toJSON says how they are stored, and revive makes them again.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { withSession } from 'phial'

class Money {
  readonly cents: number

  constructor(cents: number) {
    this.cents = cents
  }

  plus = (other: Money): Money => new Money(this.cents + other.cents)
  toString = (): string => `${(this.cents / 100).toFixed(2)} crowns`
  toJSON = (): object => ({ $money: this.cents })
}

const revive = (_key: string, value: any): unknown => (typeof value?.$money === 'number' ? new Money(value.$money) : value)

const app = withSession<{ purse: Money }>(async (req, res) => {
  const purse = await req.session.update('purse', (purse = new Money(0)) => purse.plus(new Money(250)))
  res.end(`In your purse: ${purse}\n`)
}, {
  secret: randomBytes(32).toString('base64url'), // for trying it out: these sessions end with the program
  secure: 'auto',
  revive,
})

const port = Number(process.env.PORT ?? 5000)
createServer(app).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}`))
