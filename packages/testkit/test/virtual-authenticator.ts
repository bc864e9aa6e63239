import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core'

/** A passkey of a virtual authenticator, private key and all. */
export interface VirtualPasskey {
  readonly credentialId: string
  readonly isResidentCredential: boolean
  readonly privateKey: string
  readonly signCount: number
  readonly rpId?: string
  readonly userHandle?: string
}

/** What Chromium has in place of a device: it answers a page by itself. */
export interface VirtualAuthenticator {
  passkeys(): Promise<VirtualPasskey[]>
  /** Has these and no others, such as a copy from before. */
  replace(passkeys: readonly VirtualPasskey[]): Promise<void>
  /** Whether it recognises its owner. */
  verify(owner: boolean): Promise<void>
  /** Whether somebody touches it when it is asked. */
  touch(there: boolean): Promise<void>
  unplug(): Promise<void>
}

/** Plugs one in to a page. What a `synced` one makes is on several devices, by its flags. */
export async function plugIn(
  cdp: CDPSession,
  transport: 'internal' | 'usb' = 'internal',
  { synced = false } = {},
): Promise<VirtualAuthenticator> {
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport,
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
      defaultBackupEligibility: synced,
      defaultBackupState: synced,
    },
  })
  return {
    passkeys: async () => (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    async replace(passkeys) {
      await cdp.send('WebAuthn.clearCredentials', { authenticatorId })
      for (const credential of passkeys) await cdp.send('WebAuthn.addCredential', { authenticatorId, credential })
    },
    verify: async (owner) => void (await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: owner })),
    touch: async (there) => void (await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: there })),
    unplug: async () => void (await cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId })),
  }
}

/** A window whose browser offers no passkeys under a field; that one is asked for by the button alone. */
export async function withoutAutofill(browser: Browser): Promise<BrowserContext> {
  const context = await browser.newContext()
  await context.addInitScript('if (globalThis.PublicKeyCredential) PublicKeyCredential.isConditionalMediationAvailable = async () => false')
  return context
}

/** The debugger's side of a page, with its authenticators in place of real ones. */
export async function authenticatorsOf(page: Page): Promise<CDPSession> {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  return cdp
}
