// Helping the people of a tenant in: the first admin, a new password, a login link.
import { at, post } from './api.js'
import { ask, reveal } from './dialog.js'
import { el } from './dom.js'
import { moment } from './format.js'
import { field, text } from './forms.js'
import { button, notice, panel } from './page.js'

const PLAIN = { spellcheck: 'false', autocapitalize: 'none' }

/** Says that nobody has set up the site yet; nothing once somebody has. */
export function setupBanner({ one, refresh }) {
  if (!one.setup_needed || one.status === 'deleting') return null
  return notice('user', '',
    el('p', {}, el('strong', {}, 'Not set up yet. '), 'The site has no admin, so nobody can sign in.'),
    button('Install the first admin', () => install(one, refresh), { id: 'install' }))
}

export function peoplePanel({ one, refresh }) {
  return panel('people', 'Help people in', {
    lead: one.setup_needed ? 'As soon as the site has an admin.' : 'Both stand in the audit log.',
  }, !one.setup_needed && el('div', { class: 'row' },
    button('Login link', () => loginLink(one, refresh), { sign: 'link', id: 'login-link' }),
    button('Reset a password', () => resetPassword(one, refresh), { sign: 'key', id: 'reset-password' })))
}

async function install(one, refresh) {
  const sent = await ask({
    title: 'Install the first admin', yes: 'Create the account',
    fields: [
      field('Username', 'username', { ...PLAIN, required: true, autofocus: true }),
      field('E-mail', 'email', { type: 'email', required: true }),
      field('Password', 'password', { type: 'password', required: true, autocomplete: 'new-password' }),
      field('Name of the site', 'site_name', { value: one.name, hint: 'Its admin can change it.' }),
    ],
    send: (data) => post(at`/tenants/${one.id}/install`, {
      username: text(data, 'username'), email: text(data, 'email'),
      password: data.get('password'), site_name: text(data, 'site_name'),
    }),
  })
  if (sent) await refresh('The site has its first admin')
}

async function resetPassword(one, refresh) {
  let answer
  const sent = await ask({
    title: 'Reset a password', yes: 'Reset', danger: true,
    intro: 'The person is signed out everywhere.',
    fields: [
      field('Username', 'username', { ...PLAIN, required: true, autofocus: true }),
      field('New password', 'password', {
        type: 'password', autocomplete: 'new-password', hint: 'Leave it empty to have one made up.',
      }),
    ],
    send: async (data) => {
      answer = await post(at`/tenants/${one.id}/password-reset`, {
        username: text(data, 'username'), password: data.get('password') || undefined,
      })
    },
  })
  if (!sent) return
  if (answer.password) {
    await reveal({
      title: `The new password of ${answer.username}`, label: 'The new password', secret: answer.password,
      intro: 'Copy it now. It is shown this once.',
    })
  }
  await refresh(`${answer.username} has a new password`)
}

async function loginLink(one, refresh) {
  let answer
  const sent = await ask({
    title: 'Make a login link', yes: 'Make the link',
    intro: 'Whoever opens it is signed in as that person.',
    fields: [field('Username', 'username', { ...PLAIN, autofocus: true, hint: 'The first admin, if left empty.' })],
    send: async (data) => {
      answer = await post(at`/tenants/${one.id}/login-link`, { username: text(data, 'username') })
    },
  })
  if (!sent) return
  await reveal({
    title: `A login link for ${answer.username}`, label: 'The login link', secret: answer.url, link: true,
    intro: 'Copy it now. It is shown this once.', notes: `It holds until ${moment(answer.expires_at)}.`,
  })
  await refresh()
}
