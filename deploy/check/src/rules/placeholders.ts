import type { Told } from '../finding.ts'
import { ofKind } from '../kinds.ts'
import { type House, isForProduction, nameOf } from '../manifests.ts'

/** What nobody can have: a digest of zeros, names that are reserved for examples (RFC 2606), addresses that are reserved for documentation (RFC 5737, RFC 3849). */
const nobodys = [
  /sha256:0{64}/,
  /\b(?:[\w-]+\.)*example\.(?:com|net|org)\b/,
  /\b(?:[\w-]+\.)+(?:example|test|invalid)(?![\w.-])/,
  /\b(?:192\.0\.2|198\.51\.100|203\.0\.113)\.\d+\b/,
  /\b2001:db8:[\da-f:]*/i,
]

/**
 * What our overlays for production leave to be filled in has been. Asked of a folder that somebody is about to apply, and not of what is committed here,
 * which is nobody's.
 */
export function* placeholders(house: House): Generator<Told> {
  if (!isForProduction(house)) return
  const found = house.manifests.flatMap((manifest) =>
    [...textsOf([manifest.spec, manifest.data])].flatMap((text) =>
      nobodys.flatMap((each) => each.exec(text)?.map((left) => ({ where: nameOf(manifest), left })) ?? []),
    ),
  )
  for (const [left, places] of Map.groupBy(found, (each) => each.left))
    yield [[...new Set(places.map(({ where }) => where))].join(', '), `still ${left}, where one of your own belongs`]
  for (const map of ofKind(house, 'ConfigMap')) {
    const text = map.data?.['cluster-jwks.json']
    if (text !== undefined && (JSON.parse(text) as { readonly keys: readonly unknown[] }).keys.length === 0)
      yield [nameOf(map), 'no key of your cluster in cluster-jwks.json: no service would believe another']
  }
}

function* textsOf(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value
  else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) yield* textsOf(each)
}
