import { type DescFile, type DescService, getOption, hasOption } from '@bufbuild/protobuf'
import { file_gatehouse_auth_v1_account_service } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { file_gatehouse_auth_v1_email_sign_in_service } from '@gatehouse/contracts/gatehouse/auth/v1/email_sign_in_service_pb'
import { file_gatehouse_auth_v1_enrolment_service } from '@gatehouse/contracts/gatehouse/auth/v1/enrolment_service_pb'
import { file_gatehouse_auth_v1_factor_service } from '@gatehouse/contracts/gatehouse/auth/v1/factor_service_pb'
import { file_gatehouse_auth_v1_policy_service } from '@gatehouse/contracts/gatehouse/auth/v1/policy_service_pb'
import { file_gatehouse_auth_v1_session_service } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { file_gatehouse_notification_v1_inbox_service } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { file_gatehouse_notification_v1_notification_service } from '@gatehouse/contracts/gatehouse/notification/v1/notification_service_pb'
import { access } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'
import { file_gatehouse_user_v1_user_service } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'

const files: readonly DescFile[] = [
  file_gatehouse_auth_v1_account_service,
  file_gatehouse_auth_v1_email_sign_in_service,
  file_gatehouse_auth_v1_enrolment_service,
  file_gatehouse_auth_v1_factor_service,
  file_gatehouse_auth_v1_policy_service,
  file_gatehouse_auth_v1_session_service,
  file_gatehouse_notification_v1_inbox_service,
  file_gatehouse_notification_v1_notification_service,
  file_gatehouse_user_v1_user_service,
]

/** Every service of the contracts. */
export const declaredServices: readonly DescService[] = files.flatMap((file) => file.services)

/** Every permission that some RPC of the contracts asks for, sorted. */
export const declaredPermissions: readonly string[] = [...new Set(declaredServices.flatMap(permissionsOf))].sort()

function permissionsOf(service: DescService): string[] {
  return service.methods.flatMap((method) => {
    const permission = hasOption(method, access) ? getOption(method, access).permission : ''
    return permission === '' ? [] : [permission]
  })
}
