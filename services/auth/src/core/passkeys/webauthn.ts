/**
 * The library for WebAuthn brings three hundred modules, most of them for certificates: a third of the time in which auth starts. It comes with the first
 * passkey, and stays.
 */
export const webauthn = () => import('@simplewebauthn/server')
/** How it reads what authenticators and browsers write. */
export const webauthnFormats = () => import('@simplewebauthn/server/helpers')
