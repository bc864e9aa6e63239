import type { ReactNode } from 'react'
import { Page } from './page.tsx'

/** Where a link leads that was used, has expired, or was never right; which of them is not told to strangers. */
export function DeadLink({ children }: { children: ReactNode }) {
  return (
    <Page title="This link no longer works">
      <p role="alert">It was used already, is too old, or was cut off on its way to you.</p>
      <p>{children}</p>
    </Page>
  )
}
