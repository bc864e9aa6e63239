import { afterSignIn } from '../../parts/after-sign-in.ts'

/** Goes where the server says, on from us. The tab has nothing more to come back for. */
export async function leave(next: Promise<string>): Promise<void> {
  const url = await next
  afterSignIn()
  location.assign(url)
}
