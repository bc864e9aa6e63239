import { create } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { type EnrolledFactor, EnrolledFactorSchema, Factor } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import type { EnrolledFactorRow } from '../store/enrolled-factors.ts'

const factors = { passkey: Factor.PASSKEY, totp: Factor.TOTP, recovery_codes: Factor.RECOVERY_CODE } as const

/** A factor as the contract tells of it, without what would name it. */
export function enrolledFactor({ factor, create_time }: EnrolledFactorRow): EnrolledFactor {
  return create(EnrolledFactorSchema, { factor: factors[factor], createTime: timestampFromDate(create_time) })
}
