import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { file_buf_validate_validate } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js'
import { printProto } from './print-proto.ts'

const require = createRequire(import.meta.url)

/** Files that our contracts import, and the npm package that carries each. */
const copied: Record<string, [pkg: string, path: string]> = {
  'google/api/http.proto': ['google-proto-files', 'google/api/http.proto'],
  'google/api/annotations.proto': ['google-proto-files', 'google/api/annotations.proto'],
  'google/rpc/status.proto': ['google-proto-files', 'google/rpc/status.proto'],
  'google/rpc/error_details.proto': ['google-proto-files', 'google/rpc/error_details.proto'],
  'grpc/health/v1/health.proto': ['grpc-health-check', 'proto/health/v1/health.proto'],
  'grpc/reflection/v1/reflection.proto': ['@grpc/reflection', 'build/proto/grpc/reflection/v1/reflection.proto'],
  'grpc/reflection/v1alpha/reflection.proto': ['@grpc/reflection', 'build/proto/grpc/reflection/v1alpha/reflection.proto'],
}

/** Lays other people's contracts into `folder` (ignored by git), so that buf finds them without a network. */
export function vendorProtos(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  for (const [target, [pkg, path]] of Object.entries(copied)) {
    const to = join(folder, target)
    mkdirSync(dirname(to), { recursive: true })
    cpSync(join(packageRoot(pkg), path), to)
  }
  const validate = join(folder, 'buf/validate/validate.proto')
  mkdirSync(dirname(validate), { recursive: true })
  writeFileSync(validate, printProto(file_buf_validate_validate))
}

function packageRoot(name: string): string {
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      readFileSync(join(folder, name, 'package.json'))
      return join(folder, name)
    } catch {}
  }
  throw new Error(`The npm package ${name} is not installed: run pnpm install`)
}
