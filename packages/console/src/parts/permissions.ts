import { useSession } from '../gatehouse.ts'

/** Whether the person may do what a permission names, as their token says: it decides what is offered, and nothing else. */
export function useMay(permission: string): boolean {
  const session = useSession()
  return session.kind === 'signed_in' && permissionsIn(session.accessToken).includes(permission)
}

function permissionsIn(token: string): readonly unknown[] {
  const [, claims = ''] = token.split('.')
  const { permissions } = JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/'))) as { permissions?: unknown }
  return Array.isArray(permissions) ? permissions : []
}
