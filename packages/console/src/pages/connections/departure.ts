import { gatehouse } from '../../gatehouse.ts'

const key = 'gatehouse.connection'

/** What this tab went elsewhere for, and where it was. */
interface Departure {
  readonly connectionId: string
  readonly purpose: 'sign-in' | 'link'
  readonly from: string
}

/** Sends the browser to a provider. It comes back to `/connections/callback/…`, in this tab. */
export async function depart(purpose: Departure['purpose'], connectionId: string, email = ''): Promise<void> {
  const { connections } = gatehouse
  const { url } =
    purpose === 'link' ? await connections.beginLink({ connectionId }) : await connections.beginConnectionSignIn({ connectionId, email })
  const departure: Departure = { connectionId, purpose, from: location.pathname }
  sessionStorage.setItem(key, JSON.stringify(departure))
  location.assign(url)
  // The page is on its way out: its button stays busy until then.
  await new Promise(() => {})
}

/** What the tab went for, once. */
export function arrived(): Departure | undefined {
  const kept = sessionStorage.getItem(key)
  sessionStorage.removeItem(key)
  return kept === null ? undefined : (JSON.parse(kept) as Departure)
}
