declare module 'oidc-provider/lib/helpers/fetch_request.js' {
  /** Whether an address is one of a private, loopback or otherwise special network. */
  export function isSpecialUseIP(address: string): boolean
}
