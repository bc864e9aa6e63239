import { Code } from '@connectrpc/connect'

/** `PERMISSION_DENIED`, the name that OpenTelemetry's conventions for RPC want; `OK` for success. */
export function statusName(code: Code | undefined): string {
  if (code === undefined) return 'OK'
  return (Code[code] ?? 'Unknown').replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
}
