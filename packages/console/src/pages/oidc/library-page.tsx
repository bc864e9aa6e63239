import { DeviceCode, DeviceConfirm, DeviceDone } from './device.tsx'
import { ErrorPage } from './error-page.tsx'
import type { LibraryData } from './library-data.ts'
import { Logout, SignedOut } from './logout.tsx'

/** A page that the OpenID Connect library answers with. */
export function LibraryPage({ data }: { data: LibraryData }) {
  if (data.page === 'logout') return <Logout {...data} />
  if (data.page === 'signed-out') return <SignedOut {...data} />
  if (data.page === 'device') return <DeviceCode {...data} />
  if (data.page === 'device-confirm') return <DeviceConfirm {...data} />
  if (data.page === 'device-done') return <DeviceDone {...data} />
  return <ErrorPage {...data.problem} />
}
