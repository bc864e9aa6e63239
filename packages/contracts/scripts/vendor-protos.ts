import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
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

/** What no npm package carries, cut down to what we read and write, with the names and numbers of its authors: messages of theirs are read whole, and what we do not know is passed over. */
const trimmed = fileURLToPath(new URL('../vendored', import.meta.url))

/** Lays other people's contracts into `folder` (ignored by git), so that buf finds them without a network. Files that are right are left alone: somebody else's buf may be reading them. */
export function vendorProtos(folder: string): void {
  const wanted = new Map(
    Object.entries(copied).map(([target, [pkg, path]]) => [target, readFileSync(join(packageRoot(pkg), path), 'utf8')]),
  )
  for (const target of globSync('**/*.proto', { cwd: trimmed })) wanted.set(target, readFileSync(join(trimmed, target), 'utf8'))
  wanted.set('buf/validate/validate.proto', printProto(file_buf_validate_validate))
  for (const [target, text] of wanted) {
    const file = join(folder, target)
    if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    if (entry.isFile() && !wanted.has(relative(folder, file))) rmSync(file)
  }
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
