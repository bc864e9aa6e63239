import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { vendorProtos } from './vendor-protos.ts'

// Everything that is made from proto/ and templates/, in one go. `--check` changes nothing and fails where something is out of date.
const root = fileURLToPath(new URL('../../../', import.meta.url))
vendorProtos(`${root}.vendor/proto`)
execFileSync('buf', ['generate'], { cwd: root, stdio: 'inherit' })
