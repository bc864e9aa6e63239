import assert from 'node:assert/strict'
import type { RuleName } from '../src/check.ts'
import type { House, Manifest } from '../src/manifests.ts'

/** A mistake that somebody could make in a manifest, and the rule that has to find it. */
export type Mistake = {
  readonly name: string
  readonly rule: RuleName
  /** What the finding has to say. */
  readonly says: RegExp
  readonly plant: (house: Editable) => void
  /** Default: production. */
  readonly house?: string
}

type Tree = { [name: string]: Tree | Leaf } & Tree[]
type Leaf = string | number | boolean | null | undefined

/** A house that may be spoilt. */
export class Editable {
  readonly house: House
  constructor(house: House) {
    this.house = structuredClone(house)
  }

  /** Sets what stands at a path such as `spec.ports.0.port`; `undefined` takes it away. The path has to lead somewhere. */
  set(kind: string, name: string, path: string, value: unknown): void {
    const steps = path.split('.')
    const last = steps.pop() ?? ''
    let place = this.#find(kind, name) as unknown as Tree
    for (const step of steps) {
      const next = place[step]
      assert.ok(typeof next === 'object' && next !== null, `${kind} ${name} has no ${step} of ${path}`)
      place = next as Tree
    }
    if (value !== undefined) place[last] = value as Leaf
    else if (Array.isArray(place)) {
      assert.ok(Number(last) < place.length, `${kind} ${name} has no ${path}`)
      place.splice(Number(last), 1)
    } else {
      assert.ok(last in place, `${kind} ${name} has no ${path}`)
      delete place[last]
    }
  }

  /** Adds to the list at a path. */
  add(kind: string, name: string, path: string, value: unknown): void {
    const list = path.split('.').reduce<unknown>((place, step) => (place as Tree)[step], this.#find(kind, name))
    assert.ok(Array.isArray(list), `${kind} ${name} has no list ${path}`)
    list.push(value)
  }

  /** Sets a variable of a Deployment's container; `undefined` takes it away. */
  env(name: string, variable: string, value: string | undefined): void {
    const { containers } = (this.#find('Deployment', name).spec as { template: { spec: { containers: { env: { name: string }[] }[] } } })
      .template.spec
    const container = containers[0]
    assert.ok(container)
    const rest = container.env.filter((each) => each.name !== variable)
    assert.ok(value !== undefined || rest.length < container.env.length, `${name} does not set ${variable}`)
    container.env = value === undefined ? rest : [...rest, { name: variable, value } as { name: string }]
  }

  /** Changes the file of a ConfigMap. */
  text(kind: string, name: string, file: string, change: (text: string) => string): void {
    const data = this.#find(kind, name).data as Record<string, string>
    const before = data[file] ?? ''
    data[file] = change(before)
    assert.notEqual(data[file], before)
  }

  /** Changes what the tokens of a Deployment are for. */
  tokens(name: string, change: (sources: readonly unknown[]) => readonly unknown[]): void {
    const { volumes } = (
      this.#find('Deployment', name).spec as { template: { spec: { volumes: { projected?: { sources: readonly unknown[] } }[] } } }
    ).template.spec
    const projected = volumes.find((volume) => volume.projected)?.projected
    assert.ok(projected, `${name} has no tokens`)
    projected.sources = change(projected.sources)
  }

  /** Takes a manifest away. */
  drop(kind: string, name: string): void {
    const manifests = this.house.manifests as Manifest[]
    manifests.splice(manifests.indexOf(this.#find(kind, name)), 1)
  }

  /** Adds a manifest. */
  put(manifest: Manifest): void {
    ;(this.house.manifests as Manifest[]).push(manifest)
  }

  /** A copy of a manifest, to be put beside it under another name. */
  copy(kind: string, name: string, as: string): void {
    const manifest = structuredClone(this.#find(kind, name))
    this.put({ ...manifest, metadata: { ...manifest.metadata, name: as } })
  }

  #find(kind: string, name: string): Manifest {
    const found = this.house.manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name)
    assert.ok(found, `there is no ${kind} ${name}`)
    return found
  }
}
