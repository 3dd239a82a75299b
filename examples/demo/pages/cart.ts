import type { Form } from '../form.js'
import { button, form } from '../forms.js'
import { html, type Html } from '../html.js'
import { HttpError } from '../http-error.js'
import type { DemoRequest, Page } from '../page.js'
import { shownCode } from '../shown-code.js'

const GOODS = ['Rose water', 'Oil of cloves', 'Camphor', 'Quicksilver']
const MOST = 20

// shown
const add = async (req: DemoRequest, form: Form) => {
  const product = productIn(form)
  // Atomic: two that are added at once are both there.
  await req.session.update('products', (products = []) =>
    [...products, product].slice(0, MOST))
}

const remove = async (req: DemoRequest, form: Form) => {
  const product = productIn(form)
  await req.session.update('products', (products = []) => {
    const index = products.indexOf(product)
    return products.filter((_, other) => other !== index)
  })
}

const clear = async (req: DemoRequest) => {
  const session = await req.session.load()
  session.delete('products')
  await session.save()
}
// end

const productIn = (form: Form): string => {
  const product = form.get('product')
  if (product === undefined || !GOODS.includes(product)) throw new HttpError(400, 'There is no such product.')
  return product
}

const show = async (req: DemoRequest): Promise<Html> => {
  const products = await req.session.get('products', [])
  return html`<div class="columns">
    <section><h2>The shop</h2>${await list(req, GOODS, 'add', 'Add')}</section>
    <section><h2>Your cart</h2>${products.length === 0 ? html`<p>The cart is empty.</p>` : await filled(req, products)}</section>
  </div>`
}

const filled = async (req: DemoRequest, products: readonly string[]): Promise<Html> => html`
  ${await list(req, products, 'remove', 'Remove', 'quiet')}
  <p>Products in cart: ${products.length}</p>
  ${await button(req, '/cart/clear', 'Clear the cart', 'quiet')}`

const list = (req: DemoRequest, products: readonly string[], action: string, verb: string, kind = ''): Promise<Html> =>
  form(req, `/cart/${action}`, html`<ul class="rows">${products.map((product) =>
    html`<li>${product} <button name="product" value="${product}" class="${kind}">${verb}<span class="unseen"> ${product}</span></button></li>`)}</ul>`)

export const cart: Page = {
  path: '/cart',
  title: 'Cart',
  about: 'The awfully simple shopping cart of every sessions tutorial.',
  code: shownCode('pages/cart.ts'),
  show,
  actions: { add, remove, clear },
}
