import type { ErrorOut, KoaContextWithOIDC } from 'oidc-provider'

type Render<More extends unknown[] = []> = (context: KoaContextWithOIDC, ...more: More) => void | Promise<void>

/** Client of a device request, as its page shows it. */
export interface ShownClient {
  readonly clientId: string
  readonly clientName?: string | undefined
}

/** What the library throws about a user code. */
export interface DeviceProblem extends Error {
  /** As the person wrote it. */
  readonly userCode?: string
}

/** Pages that the library answers with on routes of its own. `form` is its form with what it keeps against forged ones: only the look is the page's. */
export interface OidcPages {
  readonly logout: Render<[form: string]>
  readonly signedOut: Render
  readonly deviceInput: Render<[form: string, problem: ErrorOut | undefined, error: DeviceProblem | undefined]>
  readonly deviceConfirm: Render<[form: string, client: ShownClient, userCode: string]>
  readonly deviceDone: Render
  readonly error: Render<[problem: ErrorOut]>
}
