import type { ErrorOut, KoaContextWithOIDC } from 'oidc-provider'
import type { ConsolePage } from './console-page.ts'
import type { OidcPages, ShownClient } from './oidc-pages.ts'
import { plainPages } from './plain-pages.ts'

type Context = KoaContextWithOIDC

/** The problem of a user code, by what the library says of it: it has sentences only. */
const PROBLEMS: Readonly<Record<string, string>> = {
  'no code submitted': 'empty',
  'the code was not found': 'unknown',
  'the code has expired': 'expired',
  'code has already been used': 'used',
  'the interaction was aborted': 'refused',
}

/**
 * The pages that the library answers with on routes of its own, as the console shows them: its form's address and its defence against forged ones go along as
 * data. Where no console is built, plain ones do the same.
 */
export function consolePages(console: Pick<ConsolePage, 'readWith'>): OidcPages {
  async function show(context: Context, data: object, plain: () => void | Promise<void>): Promise<void> {
    const html = await console.readWith(data)
    if (html === undefined) return await plain()
    context.type = 'html'
    context.body = html
  }

  return {
    logout: (context, form) =>
      show(
        context,
        { page: 'logout', action: context.oidc.urlFor('end_session_confirm'), ...xsrfOf(context), client: ofRequest(context) },
        () => plainPages.logout(context, form),
      ),
    signedOut: (context) => show(context, { page: 'signed-out', client: ofRequest(context) }, () => plainPages.signedOut(context)),
    deviceInput: (context, form, out, error) =>
      show(context, { page: 'device', ...deviceForm(context), userCode: error?.userCode ?? null, problem: problemOf(out, error) }, () =>
        plainPages.deviceInput(context, form, out, error),
      ),
    deviceConfirm: (context, form, client, userCode) =>
      show(context, { page: 'device-confirm', ...deviceForm(context), client: shown(client), userCode }, () =>
        plainPages.deviceConfirm(context, form, client, userCode),
      ),
    deviceDone: (context) => show(context, { page: 'device-done', client: ofRequest(context) }, () => plainPages.deviceDone(context)),
    error: (context, problem) =>
      show(context, { page: 'error', problem: { ...problemFor(problem), traceId: traceOf(context) } }, () =>
        plainPages.error(context, problem),
      ),
  }
}

function problemFor({ error, error_description }: ErrorOut): { error: string; description: string | null } {
  return { error, description: error_description ?? null }
}

/** By which an operator finds the request in the log. */
function traceOf({ res }: Context): string | null {
  return res.getHeader('x-trace-id')?.toString() ?? null
}

function xsrfOf({ oidc }: Context): { xsrf: string } {
  return { xsrf: String(oidc.session?.state?.secret ?? '') }
}

function deviceForm(context: Context): { action: string; xsrf: string } {
  return { action: context.oidc.urlFor('code_verification'), ...xsrfOf(context) }
}

function ofRequest({ oidc }: Context): { id: string; name: string } | null {
  return oidc.client === undefined ? null : shown(oidc.client)
}

function shown({ clientId, clientName }: ShownClient): { id: string; name: string } {
  return { id: clientId, name: clientName ?? clientId }
}

function problemOf(out: ErrorOut | undefined, error: { readonly message?: string } | undefined): string | null {
  if (out === undefined) return null
  if (out.error === 'access_denied') return 'refused'
  return PROBLEMS[error?.message ?? ''] ?? 'failed'
}
