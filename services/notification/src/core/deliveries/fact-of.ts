import type { ClaimedDelivery } from '../../store/deliveries.ts'

/** What the events of a notification say of it. */
export function factOf({ notificationId, userId }: ClaimedDelivery, version: number) {
  return { notificationId, version: BigInt(version), userId: userId ?? '' }
}
