import type { OidcPages } from './oidc-pages.ts'

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => escapes[character] ?? character)
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body><main><h1>${title}</h1>${body}</main></body></html>`
}

/** Pages without scripts and styles: what a tenant sees that has no built console beside it. */
export const plainPages: OidcPages = {
  logout(context, form) {
    context.type = 'html'
    context.body = page('Sign out', `${form}<button type="submit" form="op.logoutForm" value="yes" name="logout">Sign out</button>`)
  },
  signedOut(context) {
    context.type = 'html'
    context.body = page('Signed out', '<p>You are signed out.</p>')
  },
  deviceInput(context, form, problem) {
    context.type = 'html'
    const told = problem === undefined ? '' : '<p role="alert">The code is not right, or has been used.</p>'
    context.body = page('Connect a device', `${told}${form}<button type="submit" form="op.deviceInputForm">Continue</button>`)
  },
  deviceConfirm(context, form, client, userCode) {
    context.type = 'html'
    const name = escaped(client.clientName ?? client.clientId)
    const asked = `<p>${name} shows the code ${escaped(userCode)}. Go on only if you began this yourself.</p>`
    const abort = '<button type="submit" form="op.deviceConfirmForm" value="yes" name="abort">Refuse</button>'
    context.body = page('Connect a device', `${asked}${form}<button type="submit" form="op.deviceConfirmForm">Continue</button>${abort}`)
  },
  deviceDone(context) {
    context.type = 'html'
    context.body = page('Device connected', '<p>You can go back to your device.</p>')
  },
  error(context, problem) {
    context.type = 'html'
    context.body = page('That did not work', `<p>${escaped(problem.error)}</p><p>${escaped(problem.error_description ?? '')}</p>`)
  },
}
