import type { Session, SessionManager, SessionSummary } from 'phial'
import type { Form } from '../form.js'
import { button, form } from '../forms.js'
import { html, type Html } from '../html.js'
import { HttpError } from '../http-error.js'
import type { DemoData, DemoRequest, Page } from '../page.js'
import { shownCode } from '../shown-code.js'
import { moment } from '../times.js'

/** Makes the page over the manager, which knows a user's other browsers. */
export const login = (manager: SessionManager<DemoData>): Page => {
  // shown
  const logIn = async (req: DemoRequest, form: Form) => {
    const name = nameIn(form) // this demo asks for no password
    const session = await req.session.load()
    // What another user left here is not for this one.
    if (session.owner !== name && session.owner) session.clear()
    session.owner = name
    session.flash(`Welcome, ${name}.`)
    // Saves all that under a new id. The one from before is dead.
    await session.regenerateId({ authenticated: true })
  }

  const logOut = (req: DemoRequest) => req.session.destroy()

  const logOutElsewhere = async (req: DemoRequest) => {
    const session = await req.session.load()
    const { owner } = session
    if (!owner) return
    const ended = await manager.revoke({ owner, except: session })
    session.flash(`Logged out elsewhere: ${ended}.`)
    await session.save()
  }

  const logOutEverywhere = async (req: DemoRequest) => {
    const { owner } = await req.session.load()
    if (owner) await manager.revoke({ owner })
    await req.session.destroy() // its record is gone; its cookie goes
  }
  // end

  const show = async (req: DemoRequest): Promise<Html> => {
    const session = await req.session.load()
    const notices = session.flashes().map(({ value }) => html`<p class="notice" role="status">${value}</p>`)
    return html`${notices}${session.owner === undefined ? await loggedOut(req) : await loggedIn(req, session, session.owner)}`
  }

  const loggedIn = async (req: DemoRequest, session: Session<DemoData>, owner: string): Promise<Html> => html`
    <p>You are logged in as <b>${owner}</b>, since ${moment(session.authenticatedAt ?? session.createdAt)}</p>
    ${await button(req, '/login/out', 'Log out')}
    ${manager.backend === 'cookie' ? '' : await browsersOf(req, owner)}`

  const browsersOf = async (req: DemoRequest, owner: string): Promise<Html> => {
    const sessions = await manager.list({ owner })
    return html`<h2>Your browsers</h2>
      <ul class="rows">${sessions.map(rowOf)}</ul>
      <div class="buttons">
        ${await button(req, '/login/out-elsewhere', 'Log out all others', 'quiet')}
        ${await button(req, '/login/out-everywhere', 'Log out everywhere', 'quiet')}
      </div>`
  }

  return {
    path: '/login',
    title: 'Log in',
    about: 'Log in and out, here and in all your browsers; your id changes with each log-in.',
    code: shownCode('pages/login.ts'),
    show,
    actions: { in: logIn, out: logOut, 'out-elsewhere': logOutElsewhere, 'out-everywhere': logOutEverywhere },
  }
}

const rowOf = ({ createdAt, lastAccessedAt }: SessionSummary): Html =>
  html`<li><span>first seen ${moment(createdAt)}<br>last seen ${moment(lastAccessedAt)}</span></li>`

const loggedOut = async (req: DemoRequest): Promise<Html> => html`<p>You are not logged in. Any name will do.</p>
  ${await form(req, '/login/in', html`
    <label>Name <input name="name" required maxlength="40" autocomplete="username" autocapitalize="none"></label>
    <button>Log in</button>`, 'buttons')}`

const nameIn = (form: Form): string => {
  const name = form.get('name')?.trim() ?? ''
  if (name === '' || name.length > 40) throw new HttpError(400, 'A name has 1 to 40 characters.')
  return name
}
