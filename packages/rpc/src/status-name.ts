import { Code } from '@connectrpc/connect'

/** `PERMISSION_DENIED`, the name that OpenTelemetry's conventions for RPC want; `OK` for success. */
export function statusName(code: Code | undefined): string {
  if (code === undefined) return 'OK'
  return (Code[code] ?? 'Unknown').replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
}

/** Codes that are an error of the server, by the conventions for gRPC and Connect; the others are the caller's own business. */
export const SERVER_FAULTS: ReadonlySet<Code> = new Set([
  Code.Unknown,
  Code.DeadlineExceeded,
  Code.Unimplemented,
  Code.Internal,
  Code.Unavailable,
  Code.DataLoss,
])
