import { parse } from 'yaml'

/** A container, in the keys of the Compose Specification that we use. */
export interface Container {
  readonly image: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string | number>>
  readonly secrets?: readonly (string | { readonly source: string; readonly target: string })[]
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly networks?: readonly string[] | Readonly<Record<string, { readonly ipv4_address?: string }>>
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly restart?: string
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly cap_add?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly mem_limit?: string
  readonly shm_size?: string
  readonly stop_grace_period?: string
  readonly stop_signal?: string
}

export interface ComposeFile {
  readonly name: string
  readonly services: Readonly<Record<string, Container>>
  readonly networks: Readonly<Record<string, { readonly ipam?: { readonly config: readonly { readonly subnet: string }[] } }>>
  readonly volumes: Readonly<Record<string, object>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
}

/** Reads the file as Compose does: anchors are merged, and variables filled in from `values`. Throws for a variable that is demanded and not there. */
export function readCompose(text: string, values: Readonly<Record<string, string>>): ComposeFile {
  const filled = text.replace(/\$\{([A-Z_]+)(?::\?([^}]*))?\}/g, (_, name: string, why?: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`${name} is not set: ${why ?? 'and nobody is told what it is'}`)
    return value
  })
  return parse(filled, { merge: true }) as ComposeFile
}
