import type { Finding, Rule } from './finding.ts'
import type { House } from './manifests.ts'
import { environment, files } from './rules/environment.ts'
import { images } from './rules/images.ts'
import { egress, ingress, isolation } from './rules/network.ts'
import { grace, probes } from './rules/probes.ts'
import { resources } from './rules/resources.ts'
import { routes } from './rules/routes.ts'
import { disruption, scaling } from './rules/scaling.ts'
import { secrets } from './rules/secrets.ts'
import { restricted } from './rules/security.ts'
import { selectors } from './rules/selectors.ts'
import { tokens } from './rules/tokens.ts'
import { schema } from './schema.ts'

/** Every rule by its name. */
export const rules = {
  schema,
  images,
  restricted,
  resources,
  probes,
  grace,
  environment,
  files,
  secrets,
  tokens,
  selectors,
  routes,
  scaling,
  disruption,
  egress,
  ingress,
  isolation,
} satisfies Record<string, Rule>

export type RuleName = keyof typeof rules

/** What is wrong with a house, by the rules that are asked for. */
export async function check(house: House, asked = Object.keys(rules) as readonly RuleName[]): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const rule of asked) for await (const [where, says] of rules[rule](house)) findings.push({ rule, house: house.name, where, says })
  return findings
}
