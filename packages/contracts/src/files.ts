// Made by `pnpm generate` from proto/gatehouse.
import type { DescFile, DescService } from '@bufbuild/protobuf'
import { file_gatehouse_auth_v1_access } from './gatehouse/auth/v1/access_pb.ts'
import { file_gatehouse_auth_v1_access_service } from './gatehouse/auth/v1/access_service_pb.ts'
import { file_gatehouse_auth_v1_account_service } from './gatehouse/auth/v1/account_service_pb.ts'
import { file_gatehouse_auth_v1_audit } from './gatehouse/auth/v1/audit_pb.ts'
import { file_gatehouse_auth_v1_audit_service } from './gatehouse/auth/v1/audit_service_pb.ts'
import { file_gatehouse_auth_v1_challenge_service } from './gatehouse/auth/v1/challenge_service_pb.ts'
import { file_gatehouse_auth_v1_client } from './gatehouse/auth/v1/client_pb.ts'
import { file_gatehouse_auth_v1_client_service } from './gatehouse/auth/v1/client_service_pb.ts'
import { file_gatehouse_auth_v1_connection } from './gatehouse/auth/v1/connection_pb.ts'
import { file_gatehouse_auth_v1_connection_service } from './gatehouse/auth/v1/connection_service_pb.ts'
import { file_gatehouse_auth_v1_email_sign_in_service } from './gatehouse/auth/v1/email_sign_in_service_pb.ts'
import { file_gatehouse_auth_v1_enrolment_service } from './gatehouse/auth/v1/enrolment_service_pb.ts'
import { file_gatehouse_auth_v1_error_reason } from './gatehouse/auth/v1/error_reason_pb.ts'
import { file_gatehouse_auth_v1_events } from './gatehouse/auth/v1/events_pb.ts'
import { file_gatehouse_auth_v1_factor_service } from './gatehouse/auth/v1/factor_service_pb.ts'
import { file_gatehouse_auth_v1_grant } from './gatehouse/auth/v1/grant_pb.ts'
import { file_gatehouse_auth_v1_grant_service } from './gatehouse/auth/v1/grant_service_pb.ts'
import { file_gatehouse_auth_v1_issuer_service } from './gatehouse/auth/v1/issuer_service_pb.ts'
import { file_gatehouse_auth_v1_passkey_service } from './gatehouse/auth/v1/passkey_service_pb.ts'
import { file_gatehouse_auth_v1_policy } from './gatehouse/auth/v1/policy_pb.ts'
import { file_gatehouse_auth_v1_policy_service } from './gatehouse/auth/v1/policy_service_pb.ts'
import { file_gatehouse_auth_v1_resource_server } from './gatehouse/auth/v1/resource_server_pb.ts'
import { file_gatehouse_auth_v1_resource_server_service } from './gatehouse/auth/v1/resource_server_service_pb.ts'
import { file_gatehouse_auth_v1_service_account } from './gatehouse/auth/v1/service_account_pb.ts'
import { file_gatehouse_auth_v1_service_account_service } from './gatehouse/auth/v1/service_account_service_pb.ts'
import { file_gatehouse_auth_v1_session } from './gatehouse/auth/v1/session_pb.ts'
import { file_gatehouse_auth_v1_session_service } from './gatehouse/auth/v1/session_service_pb.ts'
import { file_gatehouse_auth_v1_suspicion } from './gatehouse/auth/v1/suspicion_pb.ts'
import { file_gatehouse_auth_v1_token_service } from './gatehouse/auth/v1/token_service_pb.ts'
import { file_gatehouse_auth_v1_workload_service } from './gatehouse/auth/v1/workload_service_pb.ts'
import { file_gatehouse_notification_v1_error_reason } from './gatehouse/notification/v1/error_reason_pb.ts'
import { file_gatehouse_notification_v1_events } from './gatehouse/notification/v1/events_pb.ts'
import { file_gatehouse_notification_v1_inbox_service } from './gatehouse/notification/v1/inbox_service_pb.ts'
import { file_gatehouse_notification_v1_notification } from './gatehouse/notification/v1/notification_pb.ts'
import { file_gatehouse_notification_v1_notification_service } from './gatehouse/notification/v1/notification_service_pb.ts'
import { file_gatehouse_options_v1_error_reason } from './gatehouse/options/v1/error_reason_pb.ts'
import { file_gatehouse_options_v1_options } from './gatehouse/options/v1/options_pb.ts'
import { file_gatehouse_options_v1_resource } from './gatehouse/options/v1/resource_pb.ts'
import { file_gatehouse_user_v1_error_reason } from './gatehouse/user/v1/error_reason_pb.ts'
import { file_gatehouse_user_v1_events } from './gatehouse/user/v1/events_pb.ts'
import { file_gatehouse_user_v1_user } from './gatehouse/user/v1/user_pb.ts'
import { file_gatehouse_user_v1_user_service } from './gatehouse/user/v1/user_service_pb.ts'

/** Every file of proto/gatehouse. */
export const files: readonly DescFile[] = [
  file_gatehouse_auth_v1_access,
  file_gatehouse_auth_v1_access_service,
  file_gatehouse_auth_v1_account_service,
  file_gatehouse_auth_v1_audit,
  file_gatehouse_auth_v1_audit_service,
  file_gatehouse_auth_v1_challenge_service,
  file_gatehouse_auth_v1_client,
  file_gatehouse_auth_v1_client_service,
  file_gatehouse_auth_v1_connection,
  file_gatehouse_auth_v1_connection_service,
  file_gatehouse_auth_v1_email_sign_in_service,
  file_gatehouse_auth_v1_enrolment_service,
  file_gatehouse_auth_v1_error_reason,
  file_gatehouse_auth_v1_events,
  file_gatehouse_auth_v1_factor_service,
  file_gatehouse_auth_v1_grant,
  file_gatehouse_auth_v1_grant_service,
  file_gatehouse_auth_v1_issuer_service,
  file_gatehouse_auth_v1_passkey_service,
  file_gatehouse_auth_v1_policy,
  file_gatehouse_auth_v1_policy_service,
  file_gatehouse_auth_v1_resource_server,
  file_gatehouse_auth_v1_resource_server_service,
  file_gatehouse_auth_v1_service_account,
  file_gatehouse_auth_v1_service_account_service,
  file_gatehouse_auth_v1_session,
  file_gatehouse_auth_v1_session_service,
  file_gatehouse_auth_v1_suspicion,
  file_gatehouse_auth_v1_token_service,
  file_gatehouse_auth_v1_workload_service,
  file_gatehouse_notification_v1_error_reason,
  file_gatehouse_notification_v1_events,
  file_gatehouse_notification_v1_inbox_service,
  file_gatehouse_notification_v1_notification,
  file_gatehouse_notification_v1_notification_service,
  file_gatehouse_options_v1_error_reason,
  file_gatehouse_options_v1_options,
  file_gatehouse_options_v1_resource,
  file_gatehouse_user_v1_error_reason,
  file_gatehouse_user_v1_events,
  file_gatehouse_user_v1_user,
  file_gatehouse_user_v1_user_service,
]

/** Every service of ours. */
export const services: readonly DescService[] = files.flatMap((file) => file.services)
