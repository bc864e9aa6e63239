import type Provider from 'oidc-provider'

/** Seconds between two polls of a device (RFC 8628 section 3.2): the store refuses what comes sooner, and the library does not say so. */
const INTERVAL_SECONDS = 5

export function tellInterval(provider: Provider): void {
  provider.use(async (context, next) => {
    await next()
    const body: unknown = context.body
    if (typeof body === 'object' && body !== null && 'device_code' in body) context.body = { ...body, interval: INTERVAL_SECONDS }
  })
}
